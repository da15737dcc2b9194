"""The gate and the lock in pure Python: usable from a bare script, no Django anywhere below here."""
