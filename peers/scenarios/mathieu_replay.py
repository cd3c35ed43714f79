"""x"""

SCENARIOS = ()
