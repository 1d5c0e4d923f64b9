"""All projections there are: a new one is named here and nowhere else."""

from __future__ import annotations

from infrastructure.postgres.activity_view import ActivityView
from infrastructure.postgres.chat_view import ChatView
from infrastructure.postgres.database import Database
from infrastructure.postgres.directory import DirectoryView
from infrastructure.postgres.members_view import MembersView
from infrastructure.postgres.presence_view import PresenceView
from infrastructure.postgres.profiles_view import ProfilesView
from infrastructure.postgres.rooms_view import RoomsView
from infrastructure.postgres.statistics_view import StatisticsView
from infrastructure.projector import View


class Views:
    """The tables' readers. They keep nothing of what they read."""

    def __init__(self, database: Database) -> None:
        self.directory = DirectoryView(database)
        self.rooms = RoomsView(database)
        self.members = MembersView(database)
        self.profiles = ProfilesView(database)
        self.presence = PresenceView(database)
        self.chat = ChatView(database)
        self.statistics = StatisticsView(database)
        self.activity = ActivityView(database)


def all_views(database: Database) -> list[View]:
    """For whoever keeps or rebuilds their tables, so make them as often as you like."""
    return list(vars(Views(database)).values())
