"""Points for a lab: what `make grade` and `make class` do."""
