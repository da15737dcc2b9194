"""Backup and restore: the database and the recordings in one file, checked after it was written and before it is used.

errors    what is told to people
manifest  what a backup holds, as text in it
snapshot  the database, consistent while the panel runs
write     the file: streamed, hashed, renamed into place, read again
read      the file: refused unless every byte and name in it is what the manifest says
restore   into an empty data directory, the database last
"""
