/*
 * What the oracles remember. Included by oracle.h alone.
 *
 * Instants are true time, with one exception that they all share: when the clock was set forward
 * while the daemon was off, it cannot tell that from time that has passed, and its waits are
 * measured by its clock. Instants from which such waits are counted are moved back then
 * (oracle_age()).
 */
#ifndef KEYROTATED_TESTS_SIM_ORACLE_STATE_H
#define KEYROTATED_TESTS_SIM_ORACLE_STATE_H

enum { ORACLE_DEAD_MAX = 8 };
/* Not a key: the content is unknown. (0 is "nothing stands there".) */
#define ORACLE_UNTOLD (UINT32_MAX - 1)

struct oracle_target {
    /* What programs that read here may hold: the truth, and what the daemon can know of it. */
    uint32_t held;               /* the last key that stood here: what everybody holds by now */
    bool held_known;             /* the daemon put it there, or has seen it */
    time_ms left_at[SLOT_COUNT]; /* until when the live key of that slot stood here; 0: never */
    time_ms own_at[SLOT_COUNT];  /* until when it did by the daemon's own deliveries */
    time_ms seen_at[SLOT_COUNT]; /* when a look that the journal took note of last showed it */
    struct oracle_seen {
        uint32_t key;
        time_ms at;     /* 0: nothing was seen */
    } seen, seen_saved; /* by the last look: until the journal has it, a crash forgets it */
    uint32_t seen_last; /* the key that the journal took note of last */

    /* What the daemon was told: by answers to its deliveries, and by its looks. */
    uint32_t told;
    uint32_t given; /* the live key that it was last told of … */
    time_ms given_since;
    time_ms given_seen_at;
    uint32_t given_before; /* … and the one before that */
    uint32_t shown;        /* the same in the last looks */
    time_ms shown_since;

    uint32_t delivered; /* the last key that the daemon delivered here … */
    bool kept;          /* … and a look has shown it there since */
    bool handed_out;    /* somebody else put the other live key over it */

    uint32_t claimed;       /* what the record calls acknowledged here; 0: nothing */
    time_ms changed_at;     /* the last delivery that changed it */
    time_ms unsettled_at;   /* a delivery of unknown outcome; 0: none */
    bool delivering_dead;   /* the last delivery was of a key known to be dead */
    time_ms delivery_began; /* that is under way; 0: none */
    bool delivery_required; /* … and was required then */
    time_ms wrong_since;    /* without the key that it should hold; 0: it has it */
    time_ms disturbed_at;   /* the last delivery, reading or probe of it that went wrong */
    unsigned passed_by;     /* bits of targets that have hung since its turn in a repair has come */
    uint32_t passed_key;    /* the key that was under delivery then */
    unsigned ran_before; /* bits of required targets before it that lacked the key when a delivery
                            brought it to its readers, which no look can show */
};

struct oracle_account {
    struct oracle_target targets[4];

    /* what the daemon has under way */
    unsigned reads, probes, others, saves;
    bool regenerating;
    unsigned deliveries; /* bits of targets */
    unsigned happenings; /* at one instant … */
    unsigned happenings_today;
    time_ms happened_at, today;
    bool touched; /* since the last rest */

    /* its last look */
    struct oracle_look {
        time_ms began, ended; /* 0: none since the start */
        time_ms answered;     /* by Azure */
        uint32_t live[SLOT_COUNT];
        duration_ms skew;
        uint64_t cycle;   /* the highest that a target named */
        unsigned read;    /* bits of targets that were read, or tried to … */
        unsigned seen;    /* … and could be; */
        uint32_t held[4]; /* what they held by that */
        bool past;        /* it showed what was not true any more */
        bool described;   /* the account's description came with it */
    } look;
    time_ms undescribed_at;     /* the last look that should have brought a description */
    uint32_t shown[SLOT_COUNT]; /* the same in the last looks */
    time_ms shown_since[SLOT_COUNT];
    time_ms refused_at,
        proven_at; /* the data plane refused a dead key, and accepted the shown one */

    /* regenerating */
    bool attempted;
    enum slot attempt_slot;
    uint32_t attempt_before; /* the key to be replaced */
    time_ms attempt_at, attempt_ended_at;
    time_ms attempt_looked_at; /* what the look before it showed was true then … */
    uint32_t attempt_beside;   /* … and this was the key of the other slot by it */
    duration_ms attempt_overlap;
    bool attempt_resolved;            /* the next regenerate may be of the other slot */
    bool attempt_forgotten;           /* somebody regenerated, or the journal was edited, since */
    enum verify_mode verify;          /* the least that was asked of the new key since then */
    uint32_t proven_key, refused_key; /* what the data plane said of it last */
    time_ms unproven_since;
    time_ms doubt_since; /* 0: none */
    bool slow_forgiven;  /* the daemon cannot know how long that regenerate goes on */
    bool by_stranger[SLOT_COUNT];
    time_ms strange_since[SLOT_COUNT]; /* when a look first showed the slot's live key */
    struct oracle_dead {
        uint32_t key;
        enum slot slot;
        bool by_daemon;      /* it died by our request */
        bool shown;          /* the daemon knew it while it was live … */
        bool known;          /* … and can know that it is dead */
        time_ms again_since; /* looks show it as live since then; 0: they do not */
    } dead[ORACLE_DEAD_MAX]; /* newest first */
    uint32_t delivering;     /* the key of the last delivery … */
    bool until_outcome;      /* … while a regenerate was under way, whose key is the next goal */
    time_ms strangers_at;    /* the last foreign change that the record took up; 0: none */
    time_ms answered_at; /* when the daemon last decided to replace a key that somebody delivered */
    time_ms both_at;     /* the last time that the record took up two of them at once; 0: none */
    bool fight; /* … was the second within rotate_every, and no operator has cleared it */

    /* what the last record said */
    struct oracle_said {
        bool adopted;
        enum slot active, delivering;
        uint32_t live[SLOT_COUNT];
        bool intent;
        enum slot intent_slot;
        bool bound; /* a hold is in force */
        bool owes;  /* a target is owed a delivery */
    } said;
    struct oracle_closed {
        bool blocked, held, another_rotator, unconfirmed, presumed, adopt_asked, adopted;
        time_ms foreign_change_at, both_changed_at, overlap_from;
        unsigned acknowledged; /* bits of targets */
    } handed;                  /* what the last record given to the journal says of the interlock */
    enum { RECONFIGURED_NOT, RECONFIGURED_UNSAVED, RECONFIGURED_SAVED } reconfigured;
    bool redeliver_asked, rotate_asked; /* by a command that is not answered yet */
    /* which key is in use */
    struct oracle_word {
        bool vouched; /* when it was adopted, the configuration or a tag said so of the account, or
                         a target showed it … */
        bool by_person;  /* … or a person has said so since */
    } word, copied_word; /* when the journal was copied */
    bool person_asked;   /* by a command that is not answered yet */
    bool told_active;    /* the configuration in force names it, of this account */
    bool dismissed;      /* a GET has shown that it is gone, or that no rule wants it */
    bool in_book;        /* as the last save of it says */
    time_ms shared_at;   /* its destinations became another's, too */
    uint32_t completed_key;
    time_ms completed_at;

    /* the schedule, by the daemon's wall clock */
    bool replanned;       /* the plan was changed since the last rotation, or the clock set back */
    time_ms planned;      /* the earliest planned time of the next rotation */
    bool configured;      /* in the configuration when it was read last */
    bool leaving;         /* removed: a rotation is finished by the old configuration */
    time_ms caught_up_at; /* nor before this: what was due at a start or a reload is splayed */
    time_ms completed_wall, adopted_wall;
    time_ms completed_told;   /* by the clock of that time, which may have been set since */
    time_ms adopted_at;       /* true time */
    duration_ms planned_with; /* rotate_every; 0: no rotations */
    struct oracle_milestone {
        time_ms at, wall;
        bool adopted, completed;
        bool elsewhere; /* somebody else rotated */
        bool stranger;  /* a key that somebody else made is accepted … */
        bool both;      /* … two of them */
        bool answered;  /* a target is owed its key, in the place of one that somebody delivered */
    } milestone;        /* saved, and not durable yet */
    bool requested;     /* `rotate` was commanded */
    time_ms prompted_at;
    time_ms probed_at;
    bool probed_in_window;
    time_ms configured_at; /* the last reload */

    duration_ms jump_forward, jump_back; /* of the clock, that a crash may forget */

    /* liveness */
    time_ms disturbed_at; /* the last fault, or change by others … */
    time_ms shaken_at;    /* … except at one target */
    time_ms settle_by;    /* a look has to begin by then; 0: none is expected */
    time_ms blocked_told_at;
    time_ms blocked_since, drift_told_at;     /* waits for a person since then … */
    time_ms commanded_at, told_to_deliver_at; /* … and what a person has decided */
    time_ms due_since;                        /* 0: it is not due */
    unsigned passed_over;                     /* rotations that others completed since then */
};

enum { ORACLE_HOLDS_MAX = 32 };

/* Promises to people: answered holds, until somebody asks for their end. */
struct oracle_holds {
    struct oracle_hold {
        uint64_t id;
        unsigned account; /* or ALL_ACCOUNTS */
        time_ms until;    /* by the wall clock */
    } hold[ORACLE_HOLDS_MAX];
    unsigned count;
};

struct oracle_world {
    struct oracle_holds holds, copied_holds; /* when the journal was copied */
    duration_ms wall_offset;                 /* when the daemon ended */
    duration_ms copied_offset;               /* when the journal was copied */
    bool journal_edited;                     /* restored or erased, for the next start */
    bool journal_restored;                   /* … restored */
    duration_ms check_every_max, overlap_max;
    time_ms disturbed_at;
    time_ms skewed_at; /* the last instant at which the clock was wrong; 0: never */
    unsigned touched;  /* bits of accounts */
};

#endif
