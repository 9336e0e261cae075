"""Values to rows and back, personal parts sealed: what every engine keeps in the same way."""

from notifier.storage.records.base import Records, are_new

__all__ = ["Records", "are_new"]
