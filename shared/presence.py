"""How long an agent may be silent before that means something. One place for these times.

An agent is heard of by its heartbeat (at most every 290 s). What is written of that is rationed: a heartbeat that wrote
each time would cost more than all else that an idle site does.
"""

# A heartbeat is noted only if the last note is older than this.
NOTE_EVERY_S = 600.0

# Not heard of for so long: a note, a heartbeat after it that wrote nothing, one that was lost, and some patience.
SILENT_AFTER_S = 1200.0

# A closed connection is mostly a reconnect. Only who stays away for so long is told of as offline.
BACK_WITHIN_S = 300.0
