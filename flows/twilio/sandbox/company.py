"""The fictional company of the seeded flows: its cities, services, telephone numbers and webhooks.

Every number is in a range that the country's regulator reserves for fiction. Countries without such
a range use American numbers (555-0100 to 555-0199).
"""

from __future__ import annotations

from dataclasses import dataclass

US_AREA_CODES = (
    206, 212, 214, 215, 267, 281, 303, 305, 312, 314, 323, 347, 404, 407, 412, 415, 424, 469,
    503, 504, 512, 602, 612, 615, 617, 619, 626, 646, 650, 702, 713, 718, 720, 773, 786, 801,
    813, 832, 916, 972,
)  # fmt: skip
US_NUMBER_RANGES = tuple((f"+1{area_code}55501{{:02}}", 100) for area_code in US_AREA_CODES)


@dataclass(frozen=True, slots=True)
class Locale:
    """A language area. `ranges` are formats of telephone numbers, each with its size."""

    language: str
    cities: tuple[str, ...]
    purposes: tuple[str, ...]
    ranges: tuple[tuple[str, int], ...]

    def number(self, index: int) -> str:
        """Return the telephone number with this index in all ranges. The index wraps around."""
        index %= sum(size for _, size in self.ranges)
        ranges = iter(self.ranges)
        number_format, size = next(ranges)
        while index >= size:
            index -= size
            number_format, size = next(ranges)
        # 37 divides none of the sizes, so the numbers are scattered without repetition.
        return number_format.format(index * 37 % size)


LOCALES = (
    Locale(
        "en-US",
        ("Austin", "Boston", "Chicago", "Denver", "Miami", "Seattle", "Portland", "San Francisco"),
        (
            "Appointments",
            "Billing",
            "Order status",
            "Returns",
            "Front desk",
            "Pharmacy refills",
            "Loyalty club",
        ),
        US_NUMBER_RANGES[:10],
    ),
    Locale(
        "en-GB",
        ("London", "Leeds", "Manchester", "Bristol", "Glasgow", "Cardiff", "Belfast"),
        ("Customer care", "Delivery queries", "Complaints", "Bookings", "Repairs", "Night line"),
        (("+447700900{:03}", 1000), ("+442079460{:03}", 1000)),
    ),
    Locale(
        "de",
        ("München", "Köln", "Berlin", "Hamburg", "Zürich", "Düsseldorf", "Nürnberg"),
        (
            "Kundenservice",
            "Rückfragen",
            "Terminvergabe",
            "Störungsmeldung",
            "Außendienst",
            "Rechnungen",
        ),
        (("+493023125{:03}", 1000), ("+494066969{:03}", 1000), ("+496990009{:03}", 1000)),
    ),
    Locale(
        "fr",
        ("Lyon", "Paris", "Orléans", "Nîmes", "Besançon", "Montréal", "Genève"),
        (
            "Réclamations",
            "Prise de rendez-vous",
            "Suivi de commande",
            "Service après-vente",
            "Résiliations",
        ),
        (
            ("+336399800{:02}", 100),
            ("+336399812{:02}", 100),
            ("+33199001{:03}", 1000),
            ("+33465714{:03}", 1000),
        ),
    ),
    Locale(
        "pt",
        ("São Paulo", "Curitiba", "Brasília", "Belém", "Lisboa", "Florianópolis"),
        ("Cobrança", "Atendimento", "Agendamento", "Devoluções", "Pós-venda", "Ouvidoria"),
        US_NUMBER_RANGES[10:16],
    ),
    Locale(
        "es",
        ("Málaga", "Bogotá", "Ciudad de México", "León", "Córdoba", "A Coruña"),
        ("Atención al cliente", "Citas médicas", "Facturación", "Averías", "Reclamaciones"),
        US_NUMBER_RANGES[16:22],
    ),
    Locale(
        "sv",
        ("Malmö", "Göteborg", "Örebro", "Umeå", "Jönköping", "Åbo"),
        ("Kundtjänst", "Bokningar", "Felanmälan", "Fakturafrågor", "Återköp"),
        (("+463139006{:02}", 100), ("+468465004{:02}", 100), *US_NUMBER_RANGES[22:26]),
    ),
    Locale(
        "pl",
        ("Łódź", "Kraków", "Gdańsk", "Wrocław"),
        ("Obsługa klienta", "Reklamacje", "Rezerwacje", "Zwroty"),
        US_NUMBER_RANGES[26:33],
    ),
    Locale(
        "ja",
        ("東京", "大阪", "札幌"),
        ("予約受付", "お問い合わせ", "修理相談"),
        US_NUMBER_RANGES[33:],
    ),
)
GENERIC_LOCALE = Locale("any", (), (), (("+447700900{:03}", 1000), *US_NUMBER_RANGES))

WEBHOOK_HOSTS = ("hooks.example.com", "chat.care.example", "bots.example.net", "flex.example.org")
WEBHOOK_PATHS = (
    "/twilio/incoming",
    "/flex/messages",
    "/v2/inbound",
    "/api/conversations/new",
    "/bot",
)
