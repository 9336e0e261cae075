"""The HTTP faces: events, providers' hooks, health and metrics, simulated phones."""
