"""How events reach us; each source turns its own words into ``DossierEvent``."""
