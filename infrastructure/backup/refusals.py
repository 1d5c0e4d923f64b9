"""Why a backup or a restore does not come about: a code for programs, a sentence for people."""

from __future__ import annotations


class BackupRefused(Exception):  # noqa: N818
    """Nothing was left that looks like a whole backup, or like a whole store.

    E_BACKUP_EXISTS      there is a file of this name already
    E_BACKUP_BUSY        another backup is writing this very file
    E_BACKUP_DISK        the file cannot be written or read: the disk is full, no permission
    E_BACKUP_DAMAGED     the file is not whole, or not as it was written
    E_BACKUP_NEWER       it was made by a newer version than this
    E_STORE_NOT_EMPTY    there is something in the store already
    E_STORE_IN_USE       a server runs on the store
    E_STORE_NEWER        the empty store was prepared by a newer version than the one that made the backup
    E_STORE_NO_LOG       there is nothing to back up
    E_STORE_STALLED      the database did not go on for long
    E_STORE              the database said no
    """

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"{what} ({code})")
        self.code = code
