"""The command line: starts, watches and steers restores, and runs the local stack."""
