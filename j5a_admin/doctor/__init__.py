"""The doctor: looks at the machine and the panel's surroundings, and says of each thing what to do. Changes nothing."""
