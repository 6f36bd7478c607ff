"""The audit: who changed what, when and why, in rows that nobody can change, chained by hashes.

A row's hash is SHA-256 over its content and the hash before it, so that a changed, removed or
inserted row breaks the chain from there on. What a chain cannot show by itself is that its end was
cut off, or that all of it was written anew: a process of its own (`python -m parking_api audit
seal`) writes its head into a file at intervals, and `audit verify` holds the chain to that file.

The application's database role may read rows, and add them by a function that sets the number, the
time of recording, the role and the hashes; who did what, and when, is what the program says. A
trigger refuses changes to everybody, the owner included.
"""
