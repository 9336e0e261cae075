"""Templates to text."""

from notifier.rendering.templates import Templates

__all__ = ["Templates"]
