"""Changes of clips as they are heard: noise, rooms, level, equaliser, pitch and tempo, drawn anew in every epoch."""
