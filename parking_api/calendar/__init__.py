"""The city's calendar: public holidays and make-up workdays (调休), a year at a time."""
