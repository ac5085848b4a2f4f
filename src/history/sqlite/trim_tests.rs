//! Retention with a clock turned by hand: what is deleted, in which steps, and when nothing is.

use super::*;
use crate::history::clock::ManualClock;
use crate::history::fixtures::{HistoryFolder, append};
use crate::history::sqlite::{HistoryOptions, SqliteHistory};
use crate::history::{Append, History, HistoryRequest};

const HOUR: Duration = Duration::from_hours(1);
const DAY_MS: u64 = 24 * 3600 * 1000;
const TODAY: u64 = 1_800_000_000_000;

/// A file whose server was on today, with a message of each of these times in each room.
fn file_with(rooms: &[&str], times: &[u64]) -> (HistoryFolder, Connection) {
    let folder = HistoryFolder::new();
    let clock = ManualClock::at(TODAY).clock();
    let mut history = SqliteHistory::open_with(
        &folder.log(),
        HistoryOptions {
            clock,
            ..HistoryOptions::default()
        },
    )
    .unwrap();
    for room in rooms {
        let all = times.iter().enumerate().map(|(n, at)| {
            HistoryRequest::Append(Append {
                room: RoomName::new(room).unwrap(),
                ..append("Ana", &format!("{room} {n}"), "mensagem", *at)
            })
        });
        history.submit(all.collect());
    }
    drop(history);
    let connection = Connection::open(folder.log()).unwrap();
    (folder, connection)
}

/// A server with a retention of 30 days that has just started.
fn started(clock: &ManualClock) -> Trimmer {
    let retention = Retention::new(Duration::from_hours(30 * 24));
    Trimmer::new(Some(retention), clock.clock())
}

/// Takes steps until nothing is left to do; gives back how many.
fn run(trimmer: &mut Trimmer, connection: &mut Connection, clock: &ManualClock) -> usize {
    for steps in 1..10_000 {
        let step = trimmer.step(connection).unwrap();
        if step.pause == TRIM_INTERVAL {
            return steps;
        }
        clock.advance(step.pause);
    }
    panic!("it never ends");
}

fn seqs(connection: &Connection) -> Vec<u64> {
    let mut select = connection
        .prepare("SELECT key FROM entries ORDER BY key")
        .unwrap();
    let keys = select.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    keys.map(|key| seq_of(key.unwrap())).collect()
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn clock_800_days_ahead_deletes_nothing() {
    let times = [TODAY - 29 * DAY_MS, TODAY - DAY_MS, TODAY];
    let (_folder, mut connection) = file_with(&["geral"], &times);
    let clock = ManualClock::at(TODAY + 800 * DAY_MS);
    let mut trimmer = started(&clock);
    for _ in 0..23 {
        run(&mut trimmer, &mut connection, &clock);
        clock.advance(HOUR);
    }
    trimmer.finish(&connection).unwrap();
    assert_eq!(seqs(&connection), [1, 2, 3]);
    // Two days later the clock is right again.
    let clock = ManualClock::at(TODAY + 2 * DAY_MS);
    let mut trimmer = started(&clock);
    run(&mut trimmer, &mut connection, &clock);
    clock.advance(HOUR);
    run(&mut trimmer, &mut connection, &clock);
    assert_eq!(seqs(&connection), [2, 3]);
}

#[test]
fn jump_while_running_deletes_nothing() {
    let (_folder, mut connection) = file_with(&["geral"], &[TODAY - 29 * DAY_MS, TODAY]);
    let clock = ManualClock::at(TODAY);
    let mut trimmer = started(&clock);
    for wall_ms in [TODAY, TODAY + 40 * DAY_MS, TODAY - 40 * DAY_MS, TODAY] {
        clock.set_wall(wall_ms);
        run(&mut trimmer, &mut connection, &clock);
        assert_eq!(seqs(&connection), [1, 2]);
    }
    clock.set_wall(TODAY + DAY_MS);
    clock.advance(HOUR);
    run(&mut trimmer, &mut connection, &clock);
    assert_eq!(
        seqs(&connection),
        [2],
        "the clock goes on, and so does the trimming"
    );
}

#[test]
fn server_off_for_a_year_trims_after_a_day() {
    let (_folder, mut connection) = file_with(&["geral"], &[TODAY]);
    let clock = ManualClock::at(TODAY + 365 * DAY_MS);
    let mut trimmer = started(&clock);
    for hour in 0..=24 {
        assert_eq!(seqs(&connection), [1], "after {hour} hours");
        run(&mut trimmer, &mut connection, &clock);
        clock.advance(HOUR);
    }
    assert_eq!(seqs(&connection), Vec::<u64>::new());
}

#[test]
fn message_said_before_the_clock_was_set_is_kept_as_long_as_others() {
    // A machine without a battery starts with the time of its last end, 60 days ago.
    let start = TODAY + 60 * DAY_MS;
    let minute = 60 * 1000;
    let times = [TODAY - minute, TODAY + minute, TODAY + 2 * minute];
    let (_folder, mut connection) = file_with(&["geral"], &times);
    let clock = ManualClock::at(TODAY);
    let mut trimmer = started(&clock);
    run(&mut trimmer, &mut connection, &clock);
    clock.advance(Duration::from_mins(5));
    clock.set_wall(start + 5 * minute);
    for _ in 0..50 {
        run(&mut trimmer, &mut connection, &clock);
        clock.advance(HOUR);
    }
    assert_eq!(seqs(&connection), [2, 3], "only what was old goes");
    for _ in 0..28 * 24 {
        run(&mut trimmer, &mut connection, &clock);
        clock.advance(HOUR);
    }
    assert_eq!(seqs(&connection), Vec::<u64>::new());
}

#[test]
fn steps_after_a_start_are_a_minute_apart() {
    let times = vec![TODAY - 31 * DAY_MS; 7000];
    let (_folder, mut connection) = file_with(&["geral"], &times);
    let clock = ManualClock::at(TODAY);
    let mut trimmer = started(&clock);
    let mut pauses = Vec::new();
    loop {
        let step = trimmer.step(&mut connection).unwrap();
        pauses.push(step.pause);
        clock.advance(step.pause);
        if step.pause == TRIM_INTERVAL {
            break;
        }
    }
    assert_eq!(pauses[..10], [CAUTIOUS_PAUSE; 10]);
    assert!(pauses[10..14].iter().all(Duration::is_zero), "{pauses:?}");
    assert_eq!(seqs(&connection), Vec::<u64>::new());
}

#[test]
fn entries_with_impossible_times_go_with_the_next_possible_one() {
    let future = TODAY + 800 * DAY_MS;
    let old = TODAY - 31 * DAY_MS;
    let new = TODAY - 29 * DAY_MS;
    for (times, left) in [
        // A clock that had not been set: as old as what follows.
        (vec![5, 6, new], vec![1, 2, 3]),
        (vec![5, old, 6, new], vec![3, 4]),
        // One message from the future holds up nothing.
        (vec![old, future, old, future, new], vec![4, 5]),
        // A later one may be dated earlier, and stays behind one that stays.
        (vec![old, new, old], vec![2, 3]),
        (vec![future, future], vec![1, 2]),
    ] {
        let (_folder, mut connection) = file_with(&["geral"], &times);
        let clock = ManualClock::at(TODAY);
        run(&mut started(&clock), &mut connection, &clock);
        assert_eq!(seqs(&connection), left, "{times:?}");
        let oldest = count(&connection, "SELECT oldest FROM rooms");
        assert_eq!(oldest as u64, left[0], "{times:?}");
    }
}

#[test]
fn long_runs_of_impossible_times_are_passed_in_steps() {
    let mut times = vec![TODAY + 800 * DAY_MS; 1700];
    times.extend([TODAY - 31 * DAY_MS, TODAY]);
    let (_folder, mut connection) = file_with(&["geral", "recreio"], &times);
    let clock = ManualClock::at(TODAY);
    let steps = run(&mut started(&clock), &mut connection, &clock);
    assert_eq!(seqs(&connection), [1702, 1702]);
    assert!((22..30).contains(&steps), "{steps} steps");
}

#[test]
fn ids_are_deleted_by_their_index_in_small_steps() {
    let mut times = vec![TODAY - 38 * DAY_MS; 500];
    times.extend([TODAY - 36 * DAY_MS, TODAY]);
    let (_folder, mut connection) = file_with(&["geral"], &times);
    let plan: Vec<String> = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {DELETE_IDS}"))
        .unwrap()
        .query_map(params![0, 0, 0], |row| row.get(3))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    assert!(
        plan.iter().all(|step| !step.starts_with("SCAN")),
        "{plan:?}"
    );
    assert!(
        plan.iter()
            .any(|step| step.contains("INDEX id_index_at (at>? AND at<?)")),
        "{plan:?}"
    );
    let clock = ManualClock::at(TODAY);
    let mut trimmer = started(&clock);
    let mut left = vec![502];
    while trimmer.step(&mut connection).unwrap().pause != TRIM_INTERVAL {
        let ids = count(&connection, "SELECT count(*) FROM ids");
        if left.last() != Some(&ids) {
            left.push(ids);
        }
    }
    assert_eq!(left, [502, 302, 102, 2]);
}

#[test]
fn empty_rooms_are_passed_over_without_a_pause() {
    let (_folder, mut connection) = file_with(&["geral"], &[TODAY - 31 * DAY_MS]);
    for n in 0..1000 {
        let insert = "INSERT INTO room_records (key, name, indexed, oldest, indexed_at) VALUES (?1, ?1, 0, 1, 0)";
        connection.execute(insert, [format!("sala{n}")]).unwrap();
    }
    let clock = ManualClock::at(TODAY);
    run(&mut started(&clock), &mut connection, &clock);
    assert_eq!(seqs(&connection), Vec::<u64>::new());
    let waited = clock.read().steady;
    assert_eq!(waited, CAUTIOUS_PAUSE, "only after the step that deleted");
}
