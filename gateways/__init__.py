"""One file a provider; each is found by its entry point in the group ``notifier.gateways``."""
