"""`make bench`: Clarion's speed, in one run beside a peer or a limit.

The server is on one core, its load on the other; everything is durable. Figures are for people to
read and compare, never asserted: machines differ, and this one changes by the hour. Compare ratios,
and CPU for one unit of work.
"""
