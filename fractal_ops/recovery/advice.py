"""What a person does about each drift: commands, for we never write freqtrade's database."""

EMPTY_ACCOUNT = (
    "compare exchange.wallet_address in the config with the account on the venue (it is the main "
    "account's address, not the API wallet's); if the money is truly gone, stop the bots"
)
VENUE_UNREACHABLE = (
    "check the network and the venue's status page; nothing was changed, and nothing is opened "
    "until it answers"
)
DATABASE_UNREADABLE = (
    "check db_url, --db-url and the file's rights; stop nothing: bots go on with their exits"
)
INTERNAL_ERROR = "keep the log and report it; nothing is opened until a look succeeds"
CLOCK_OFFSET = (
    "set the clock of this machine (`timedatectl set-ntp true`), then restart the bots; entries "
    "open when the clocks agree"
)
MISSING_DATABASE = (
    "name that bot's database with --db-url as well; if the bot is gone for good, "
    "`fractal risk forget BOT`"
)
UNKNOWN_POSITION = (
    "`fractal reconcile --repair` closes it reduce-only, or close {pair} on the venue by hand; "
    "freqtrade can not adopt it"
)
WRONG_SIDE = (
    "`fractal reconcile --repair` closes the venue's position; then, with the bot running, "
    "/reload_trade {trade}, and if the trade stays open, /delete {trade}"
)
WRONG_SIZE = (
    "with the bot running, /reload_trade {trade}: freqtrade reads the orders anew; if the sizes "
    "still differ, /forceexit {trade} and look again"
)
MISSING_POSITION = (
    "with the bot running, /reload_trade {trade}: freqtrade looks for the orders that closed it; "
    "if the trade stays open (a liquidation leaves none), /delete {trade}"
)
STOP = (
    "with the bot running, it places its stop in its next loop; else `fractal reconcile --repair` "
    "places it, or closes the position where the price is through already; /forceexit {trade} "
    "works as well"
)
ORPHAN_ORDER = "`fractal reconcile --repair` cancels it, or cancel it on the venue by hand"
LOST_ORDER = (
    "with the bot running, it reads the outcome in its next loop (else start it); if this stays, "
    "/reload_trade {trade}"
)
