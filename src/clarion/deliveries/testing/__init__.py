"""Test pushes: a content sent to a few devices before it is launched, beside the account."""
