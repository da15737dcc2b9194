"""Backup and restore: the database and the recordings in one file, checked after it was written and before it is used.

errors    what is told to people
manifest  what a backup holds, as text in it
snapshot  the database, consistent while the panel runs
write     the file: streamed, hashed, renamed into place, read again
read      the file: refused unless every byte and name in it is what the manifest says
restore   into a data directory whose panel does not run; what was there is set aside
swap      the renames at the end, which go on where they were interrupted
claims    proof that nobody uses the data directory
"""
