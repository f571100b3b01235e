"""Lux9's grader: a pytest harness and the tests that look from outside."""
