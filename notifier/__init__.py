"""motcua-notifier: tells citizens where their dossier is."""

__version__ = "0.1.0"
