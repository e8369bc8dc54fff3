"""The side effects of a restore, one module per step."""
