"""AWS behaviour, described once: used by the simulated provider and by the unit-test mocks."""
