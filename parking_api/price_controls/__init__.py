"""Price control (政府指导价): what the law lets a tariff charge, and what goes beyond it."""
