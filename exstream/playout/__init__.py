"""What is on air: players, the pump, the fan-out to viewers, cards and tuners."""
