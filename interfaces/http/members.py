"""`/api/rooms/{room}/members` and `/invitations`: who may do what, now and at any moment of the past."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from domain.errors import NotFound
from domain.ids import is_id
from domain.rights import Role
from domain.room import Invitation, Room
from interfaces.http.answers import (
    AcceptedAnswer,
    InvitationAnswer,
    InvitationsAnswer,
    MemberAnswer,
    MembersAnswer,
    NewInvitationAnswer,
    answer,
    check_precondition,
    is_known,
    microseconds,
    not_modified,
    version_etag,
)
from interfaces.http.bodies import Acceptance, MembersQuery, NewInvitation, NewRole
from interfaces.http.keys import ENTRANCE, IDENTITY, MEMBERS, ROOM, SERVICES
from projections.members import EVERYONE, RoleSpan

# Members.


async def list_all(request: web.Request, query: MembersQuery) -> web.Response:
    """The members by user; with `at` those of that moment, and who they were made by."""
    room = request[ROOM]
    if query.at is not None:
        return await _list_at(request, room, query, query.at)
    etag = f"{version_etag(request, room)}.{query.after or ''}.{query.limit}"
    if is_known(request, etag):
        return not_modified(etag)
    after = query.after or ""
    users = sorted(user for user in room.members if user > after)
    spans = await request.app[MEMBERS].of_room(room.room, after, query.limit)
    known = {span.user: span for span in spans}
    members = [_member(user, room.members[user], known.get(user)) for user in users[: query.limit]]
    following = members[-1].user if len(users) > query.limit else None
    # What the projection tells comes a moment after the room's version, so it is no part of the tag.
    is_whole = all(member.since is not None for member in members)
    return answer(
        MembersAnswer(members=members, everyone=room.everyone, next=following),
        etag=etag if is_whole else None,
    )


async def _list_at(request: web.Request, room: Room, query: MembersQuery, moment: datetime) -> web.Response:
    spans = {span.user: span for span in await request.app[MEMBERS].at(room.room, moment)}
    everyone = spans.pop(EVERYONE, None)
    users = sorted(user for user in spans if user > (query.after or ""))
    members = [_member(user, Role(spans[user].role), spans[user]) for user in users[: query.limit]]
    following = members[-1].user if len(users) > query.limit else None
    role = Role(everyone.role) if everyone is not None else None
    return answer(MembersAnswer(members=members, everyone=role, next=following))


def _member(user: str, role: Role, span: RoleSpan | None) -> MemberAnswer:
    if span is None or span.role != role:
        return MemberAnswer(user=user, role=role)
    return MemberAnswer(
        user=user, role=role, since=microseconds(span.since), by=span.by, invitation=span.invitation
    )


async def put(request: web.Request, body: NewRole) -> web.Response:
    """Make somebody a member, or give a member another role."""
    room, user = request[ROOM], _user(request)
    check_precondition(request, version_etag(request, room))
    services = request.app[SERVICES]
    await services.members.put(room.room, user, body.role, actor=request[IDENTITY].user)
    changed = await services.rooms.get(room.room)
    told = MemberAnswer(user=user, role=changed.members.get(user, body.role))  # or gone again meanwhile
    return answer(told, etag=version_etag(request, changed))


async def remove(request: web.Request) -> web.Response:
    """Remove a member, or leave."""
    check_precondition(request, version_etag(request, request[ROOM]))
    await request.app[SERVICES].members.remove(
        request[ROOM].room, _user(request), actor=request[IDENTITY].user
    )
    return web.Response(status=204)


def _user(request: web.Request) -> str:
    user = request.match_info["user"]
    if not is_id(user):
        raise NotFound("there is no such user")
    return user


# Invitations.


async def invite(request: web.Request, body: NewInvitation) -> web.Response:
    """A link by which others become members. Its secret is in the fragment, which stays in browsers."""
    room = request[ROOM].room
    services = request.app[SERVICES]
    link = await services.members.invite(
        room,
        body.role,
        lifetime=timedelta(seconds=body.expires_in),
        uses=body.uses,
        actor=request[IDENTITY].user,
    )
    made = (await services.rooms.get(room)).invitations[link.invitation]
    told = NewInvitationAnswer(
        **_invitation(made).model_dump(),
        secret=link.secret,
        link=f"{_page(request)}/#/join/{room}/{link.invitation}/{link.secret}",
    )
    return answer(told, 201)


def _page(request: web.Request) -> str:
    """Where those who are invited find the pages: where whoever invites has them from, if that is a page and
    not a program.
    """
    own = f"{request.scheme}://{request.host}"
    return request.headers.get("Origin") or min(request.app[ENTRANCE].origins, default=own)


async def list_invitations(request: web.Request) -> web.Response:
    """The links that are out and still let somebody in, without their secrets."""
    now = request.app[SERVICES].now()
    out = [_invitation(known) for known in request[ROOM].invitations.values() if known.is_open(now)]
    return answer(InvitationsAnswer(invitations=out))


async def revoke(request: web.Request) -> web.Response:
    """The link lets nobody in any more."""
    await request.app[SERVICES].members.revoke(
        request[ROOM].room, request.match_info["invitation"], actor=request[IDENTITY].user
    )
    return web.Response(status=204)


async def accept(request: web.Request, body: Acceptance) -> web.Response:
    """Become a member by a link. 404 for every link that does not let in, whatever the reason."""
    room, user = request.match_info["room"], request[IDENTITY].user
    if not is_id(room):
        raise NotFound("there is no such invitation")
    services = request.app[SERVICES]
    try:
        await services.members.accept(room, request.match_info["invitation"], body.secret, actor=user)
        role = (await services.rooms.get(room)).role_of(user)
    except NotFound:
        role = None
    if role is None:
        raise NotFound("there is no such invitation")
    return answer(AcceptedAnswer(room=room, role=role))


def _invitation(known: Invitation) -> InvitationAnswer:
    return InvitationAnswer(
        invitation=known.invitation, role=known.role, expires=known.expires, uses=known.uses
    )
