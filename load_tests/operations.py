"""Operations: the city's totals every few seconds."""

from locust import task

from load_tests.asking import AskingUser
from load_tests.bodies import check_city
from load_tests.kinds import CITY


class Operations(AskingUser):
    """A screen in the control room."""

    def wait_time(self) -> float:
        """Look every few seconds, not to the beat of anything else."""
        return self.world.plan.mix.city_every_s * self.random.uniform(0.8, 1.2)

    @task
    def look_at_the_city(self) -> None:
        """Check that everything adds up."""
        self.ask(CITY, CITY, lambda body: check_city(body, len(self.world.lots)))
