/** All that is counted, chart by chart. */

import type { Statistics } from "@chronoscribe/client";
import { Name } from "../chat/Face.tsx";
import { useLooks, useNames } from "../chat/looks.ts";
import { dateOf, dayAndTime } from "../ui/time.ts";
import { ChartFigure } from "./ChartFigure.tsx";
import { CountBars } from "./CountBars.tsx";
import {
  beginOf,
  byDay,
  byHour,
  byWeek,
  localDay,
  MEASURES,
  type Measure,
  ofDone,
  ofHour,
  type Span,
  secondsOf,
  summaryOf,
  weekdayOf,
} from "./figures.ts";
import { Ranking } from "./Ranking.tsx";
import { WeekMap } from "./WeekMap.tsx";

/** The rest is in the table. */
const PEOPLE_SHOWN = 10;
const WORDS_SHOWN = 12;
const EMOJI_SHOWN = 12;
const BUSIEST_SHOWN = 5;

interface ChartsProps {
  readonly figures: Statistics;
  readonly measure: Measure;
  readonly span: Span;
}

export function Charts({ figures, measure, span }: ChartsProps) {
  const what = MEASURES[measure];
  const begin = beginOf(span, new Date());
  const days = byDay(figures.days, measure, {
    from: begin === null ? null : localDay(begin),
    until: localDay(new Date()),
  });
  const hours = byHour(figures.hours, measure);
  const week = byWeek(figures.week, measure);
  const weekHours = week.flatMap((row, day) =>
    row.map((count, hour) => ({ key: `${day} ${hour}`, label: `${weekdayOf(day)} ${hour}:00`, count })),
  );
  return (
    <div className="charts">
      <Totals figures={figures} />
      <ChartFigure
        title={`${what} per ${days.step}`}
        summary={summaryOf(days.counts, what)}
        head={[days.step, what]}
        rows={days.counts.map(({ key, count }) => [key, count])}
      >
        <CountBars counts={days.counts} what={what} />
      </ChartFigure>
      <ChartFigure
        title={`${what} by hour of the day`}
        summary={summaryOf(hours, what)}
        head={["Hour", what]}
        rows={hours.map(({ label, count }) => [label, count])}
      >
        <CountBars counts={hours} what={what} />
      </ChartFigure>
      <ChartFigure
        title={`${what} in the week`}
        summary={summaryOf(weekHours, what)}
        head={["Hour", ...week.map((_, day) => weekdayOf(day))]}
        rows={hours.map(({ label }, hour) => [label, ...week.map((row) => row[hour] ?? 0)])}
      >
        <WeekMap week={week} what={what} />
      </ChartFigure>
      {figures.user === null ? <People figures={figures} measure={measure} /> : null}
      <Responses times={figures.response_times} />
      <Busiest figures={figures} measure={measure} />
      <Emoji emoji={figures.emoji} />
      <Words words={figures.words} />
    </div>
  );
}

function Totals({ figures: { totals, response_times } }: { readonly figures: Statistics }) {
  const tiles: readonly (readonly [string, string])[] = [
    ["messages", totals.messages.toLocaleString()],
    ["replies", totals.replies.toLocaleString()],
    ["reactions", totals.reactions_added.toLocaleString()],
    ["edits", totals.document_edits.toLocaleString()],
    ["characters written", totals.inserted.toLocaleString()],
    ["median response", secondsOf(response_times.median)],
  ];
  return (
    <dl className="totals">
      {tiles.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function People({ figures, measure }: { readonly figures: Statistics; readonly measure: Measure }) {
  const what = MEASURES[measure];
  const people = figures.people
    .map((done) => ({ user: done.user, count: ofDone(done, measure), done }))
    .sort((one, other) => other.count - one.count);
  const names = useNames(people.map(({ user }) => user));
  const counts = people.map(({ user, count }, place) => ({ key: user, label: names[place] ?? user, count }));
  const shown = people.filter(({ count }) => count > 0).slice(0, PEOPLE_SHOWN);
  return (
    <ChartFigure
      title={`${what} by person`}
      summary={summaryOf(counts, what).replace("most at", "most by")}
      head={["Person", "Messages", "Edits", "Reactions", "Characters written"]}
      rows={people.map(({ done }, place) => [
        names[place] ?? done.user,
        done.messages,
        done.document_edits,
        done.reactions_added,
        done.inserted,
      ])}
    >
      <ol className="ranking">
        {shown.map(({ user, count }) => (
          <PersonBar key={user} user={user} count={count} most={shown[0]?.count ?? 1} />
        ))}
      </ol>
    </ChartFigure>
  );
}

function PersonBar({
  user,
  count,
  most,
}: {
  readonly user: string;
  readonly count: number;
  readonly most: number;
}) {
  const { colour } = useLooks(user);
  return (
    <li>
      <span className="ranking-bar" style={{ inlineSize: `${(count / most) * 100}%`, background: colour }} />
      <span className="ranking-name">
        <Name user={user} />
      </span>
      <span className="ranking-count">{count.toLocaleString()}</span>
    </li>
  );
}

function Responses({ times }: { readonly times: Statistics["response_times"] }) {
  const { responses, median, mean, p90 } = times;
  return (
    <section className="chart">
      <h3>How soon messages are answered</h3>
      {responses === 0 ? (
        <p className="chart-summary">Nothing was answered.</p>
      ) : (
        <dl className="totals">
          <div>
            <dt>answers</dt>
            <dd>{responses.toLocaleString()}</dd>
          </div>
          <div>
            <dt>half within</dt>
            <dd>{secondsOf(median)}</dd>
          </div>
          <div>
            <dt>nine of ten within</dt>
            <dd>{secondsOf(p90)}</dd>
          </div>
          <div>
            <dt>on average</dt>
            <dd>{secondsOf(mean)}</dd>
          </div>
        </dl>
      )}
    </section>
  );
}

function Busiest({ figures, measure }: { readonly figures: Statistics; readonly measure: Measure }) {
  const hours = figures.busiest.filter((hour) => ofHour(hour, measure) > 0).slice(0, BUSIEST_SHOWN);
  if (hours.length === 0) return null;
  return (
    <section className="chart">
      <h3>Busiest hours</h3>
      <Ranking
        label="Busiest hours"
        items={hours.map((hour) => ({
          key: `${hour.since}`,
          name: (
            <time dateTime={dateOf(hour.since).toISOString()}>
              {dayAndTime(hour.since).replace(/:00(?=\D*$)/, "")}
            </time>
          ),
          count: ofHour(hour, measure),
        }))}
      />
    </section>
  );
}

function Emoji({ emoji }: { readonly emoji: Statistics["emoji"] }) {
  if (emoji.length === 0) return null;
  return (
    <section className="chart">
      <h3>Reactions</h3>
      <ul className="emoji-counts">
        {emoji.slice(0, EMOJI_SHOWN).map(({ emoji: one, uses }) => (
          <li key={one}>
            <span>{one}</span> {uses.toLocaleString()}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Words({ words }: { readonly words: Statistics["words"] }) {
  if (words.length === 0) return null;
  return (
    <section className="chart">
      <h3>Words said most</h3>
      <Ranking
        label="Words said most"
        items={words
          .slice(0, WORDS_SHOWN)
          .map(({ word, uses }) => ({ key: word, name: <bdi>{word}</bdi>, count: uses }))}
      />
    </section>
  );
}
