"""Sound files in: probe, decode to PCM, cut.

Light modules (web, worker, command line): errors, pcm_format, chunking, probe, prepare. Modules of the
child processes only (they import av, numpy or pydub): source, sound, downmix, quiet, pcm, *_child.
"""
