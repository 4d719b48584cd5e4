from smtp_probe.config.references import references
from smtp_probe.config.settings import Config

SENDER = {"host": "a", "tls": "none", "ehlo_name": "b", "envelope_from": "a@b"}
MAILBOX = {"host": "a", "tls": "none"}


def judge(*, senders=("relay",), schedule=None, drills=None, **routes):
    config = Config.model_validate(
        {
            "senders": dict.fromkeys(senders, SENDER),
            "mailboxes": {"inbox": MAILBOX},
            "routes": {
                name: {"sender": "relay", "recipient": "a@b", "mailbox": "inbox"} | route
                for name, route in routes.items()
            },
            "schedule": schedule or {},
            "drills": drills or {},
        }
    )
    return [(".".join(map(str, found.path)), found.message) for found in references(config)]


def test_a_sound_configuration():
    assert judge(daily={}) == []
    assert judge(daily={"interval": "10s"}, other={"recipient": "a@b"}) == []


def test_names_that_point_at_nothing():
    assert judge(daily={"sender": "x", "mailbox": "relay", "bounce_mailbox": "y"}) == [
        ("routes.daily.sender", "'x' is not one of senders: relay"),
        ("routes.daily.mailbox", "'relay' is not one of mailboxes: inbox"),
        ("routes.daily.bounce_mailbox", "'y' is not one of mailboxes: inbox"),
    ]


def test_names_of_drills_that_point_at_nothing_or_are_those_of_routes():
    bounce = {"sender": "x", "recipient": "c@d", "mailbox": "y", "other_mailbox": "z"}
    found = judge(daily={}, drills={"bounce": {"astray": bounce}})
    assert found == [
        ("drills.bounce.astray.sender", "'x' is not one of senders: relay"),
        ("drills.bounce.astray.mailbox", "'y' is not one of mailboxes: inbox"),
        ("drills.bounce.astray.other_mailbox", "'z' is not one of mailboxes: inbox"),
    ]
    sound = {"sender": "relay", "recipient": "c@d", "mailbox": "inbox"}
    assert judge(daily={}, drills={"bounce": {"daily": sound}}) == [
        ("drills.bounce.daily", "a drill cannot be named like a route: 'daily'")
    ]


RECEIVER = {"address": "192.0.2.25"}
DRILLS: dict[str, dict[str, dict[str, object]]] = {
    "bounce": {"one": {"recipient": "c@d", "mailbox": "inbox", "deadline": "10s"}},
    "retry": {"two": {"recipient": "c@d", "listen": RECEIVER, "deadline": "10m"}},
    "rejection": {"three": {"recipient": "c@d", "checks": ["relay"]}},
}


def drilled(interval, **more):
    """What is said of the intervals of three drills, all of them that long."""
    drills = {
        kind: {name: {"sender": "relay", "interval": interval, **drill} for name, drill in named.items()}
        for kind, named in DRILLS.items()
    }
    return judge(daily={}, drills={**drills, **more})


def test_all_that_is_wrong_with_the_intervals_of_drills_is_said_at_once():
    often = "1m is too often for a drill: 5m at least, unless drills.lab is true"
    too_short = ("drills.retry.two.interval", "deadline (10m) must not be longer than interval (1m)")
    assert drilled("1m") == [
        ("drills.bounce.one.interval", often),
        ("drills.retry.two.interval", often),
        too_short,
        ("drills.rejection.three.interval", often),
    ]
    assert drilled("1m", lab=True) == [too_short]
    assert drilled("10m") == []


def test_a_long_list_of_names_is_cut():
    ((_, message),) = judge(senders=[f"s{n:02}" for n in range(12)], daily={"sender": "x"})
    assert message.endswith("s00, s01, s02, s03, s04, s05, s06, s07, s08, s09 and 2 more")


def test_an_interval_below_the_minimum():
    assert judge(daily={"interval": 9}) == [
        ("routes.daily.interval", "9s is below schedule.minimum_interval (10s)")
    ]
    assert judge(daily={"interval": 9}, schedule={"minimum_interval": 1}) == []


def test_routes_that_ask_for_more_than_is_allowed():
    ten = {f"r{n}": {"interval": "10s"} for n in range(10)}
    assert judge(**ten) == []
    assert judge(**ten, one_more={"interval": "10s"}) == [
        (
            "senders.relay.max_per_minute",
            (
                "senders.relay.max_per_minute is 60, but its routes ask for 66 messages a minute: raise it, or make the "
                "intervals longer"
            ),
        )
    ]
    assert judge(**ten, schedule={"max_per_minute": 59}) == [
        (
            "schedule.max_per_minute",
            (
                "schedule.max_per_minute is 59, but its routes ask for 60 messages a minute: raise it, or make the "
                "intervals longer"
            ),
        )
    ]


def test_the_budget_of_a_sender_is_its_own():
    routes = {f"r{n}": {"interval": "10s", "sender": ("relay", "other")[n % 2]} for n in range(20)}
    assert judge(senders=("relay", "other"), **routes) == []


def test_events_of_an_engine_outlive_their_probes():
    def judge_engine(retention):
        route = {"sender": "relay", "recipient": "a@b", "mailbox": "inbox"}
        sections = {
            "senders": {"relay": SENDER},
            "mailboxes": {"inbox": MAILBOX},
            "routes": {"long": route, "short": {**route, "give_up_after": "1h"}},
            "engine": {"servers": ["nats://127.0.0.1:4222"], "retention": retention},
        }
        return [found.message for found in references(Config.model_validate(sections))]

    assert judge_engine("48h") == []
    (message,) = judge_engine("47h")
    assert message.startswith("1d23h is shorter than twice the longest give_up_after (1d)")
