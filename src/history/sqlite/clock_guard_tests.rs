//! The guard against clocks that jump, with a clock turned by hand.

use super::*;
use crate::history::clock::ManualClock;

const DAY: Duration = Duration::from_hours(24);
const DAY_MS: u64 = 24 * 3600 * 1000;
const TODAY: u64 = 1_800_000_000_000;

/// An empty file, whose time was confirmed at this moment.
fn file_confirmed_at(wall_ms: u64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let tables = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT);
                  CREATE TABLE rooms (at INTEGER);";
    connection.execute_batch(tables).unwrap();
    run(&connection, wall_ms, Duration::ZERO);
    connection
}

/// One life of a server, with a reading each hour; gives back the verdicts.
fn run(connection: &Connection, wall_ms: u64, life: Duration) -> Vec<Verdict> {
    let clock = ManualClock::at(wall_ms);
    let mut guard = ClockGuard::load(connection, clock.read()).unwrap();
    let mut verdicts = vec![guard.observe(clock.read())];
    let hour = Duration::from_hours(1);
    for _ in 0..life.as_secs() / 3600 {
        clock.advance(hour);
        verdicts.push(guard.observe(clock.read()));
    }
    guard.save(connection).unwrap();
    verdicts
}

/// Whether something may be deleted in the end.
fn is_trusted(verdicts: &[Verdict]) -> bool {
    !matches!(verdicts.last(), Some(Verdict::Doubted { .. }))
}

#[test]
fn clock_800_days_ahead_is_doubted_until_it_is_right_again() {
    let file = file_confirmed_at(TODAY);
    let ahead = run(&file, TODAY + 800 * DAY_MS, Duration::from_hours(23));
    let doubted = ahead
        .iter()
        .all(|verdict| matches!(verdict, Verdict::Doubted { ahead: true, .. }));
    assert!(doubted, "{ahead:?}");
    let right = run(&file, TODAY + DAY_MS / 2, Duration::ZERO);
    assert_eq!(right, [Verdict::Trusted]);
    // The next wrong clock has no proof from the first.
    assert!(!is_trusted(&run(
        &file,
        TODAY + 900 * DAY_MS,
        Duration::from_hours(2)
    )));
}

#[test]
fn server_off_for_a_year_is_trusted_after_a_day() {
    let file = file_confirmed_at(TODAY);
    let verdicts = run(&file, TODAY + 365 * DAY_MS, DAY + DAY);
    let confirmed = verdicts
        .iter()
        .position(|verdict| *verdict == Verdict::Confirmed);
    assert_eq!(confirmed, Some(24));
    assert!(is_trusted(&verdicts));
}

#[test]
fn proof_is_collected_over_several_lives() {
    let file = file_confirmed_at(TODAY);
    for day in 0..11 {
        let life = run(&file, TODAY + (365 + day) * DAY_MS, Duration::from_hours(2));
        assert!(!is_trusted(&life), "day {day}");
    }
    let life = run(&file, TODAY + 376 * DAY_MS, Duration::from_hours(2));
    assert!(is_trusted(&life));
}

#[test]
fn server_on_once_a_week_is_trusted_within_the_hour() {
    let file = file_confirmed_at(TODAY);
    for week in 1..10 {
        let life = run(&file, TODAY + week * 7 * DAY_MS, Duration::from_hours(2));
        assert!(!is_trusted(&life[..1]), "week {week}");
        assert!(is_trusted(&life), "week {week}");
    }
}

#[test]
fn jump_while_running_is_doubted_forward_and_back() {
    let file = file_confirmed_at(TODAY);
    let clock = ManualClock::at(TODAY);
    let mut guard = ClockGuard::load(&file, clock.read()).unwrap();
    assert_eq!(guard.observe(clock.read()), Verdict::Trusted);
    for jump in [TODAY + 40 * DAY_MS, TODAY - 40 * DAY_MS] {
        clock.set_wall(jump);
        let ahead = jump > TODAY;
        let verdict = guard.observe(clock.read());
        assert!(
            matches!(verdict, Verdict::Doubted { ahead: is, off_ms, proof }
                if is == ahead && off_ms == 40 * DAY_MS && proof == LONG_PROOF),
            "{verdict:?}"
        );
        clock.set_wall(TODAY);
        assert_eq!(guard.observe(clock.read()), Verdict::Trusted);
    }
}

#[test]
fn machine_without_a_clock_is_trusted_once_its_time_is_set() {
    let file = file_confirmed_at(TODAY);
    let clock = ManualClock::at(0);
    let mut guard = ClockGuard::load(&file, clock.read()).unwrap();
    assert!(!is_trusted(&[guard.observe(clock.read())]));
    clock.set_wall(TODAY + DAY_MS / 2);
    assert_eq!(guard.observe(clock.read()), Verdict::Trusted);
}

#[test]
fn sleeping_machine_is_trusted_in_the_morning() {
    let file = file_confirmed_at(TODAY);
    let clock = ManualClock::at(TODAY);
    let mut guard = ClockGuard::load(&file, clock.read()).unwrap();
    // The steady clock stands still meanwhile.
    clock.set_wall(TODAY + 14 * 3600 * 1000);
    assert_eq!(guard.observe(clock.read()), Verdict::Trusted);
}

#[test]
fn file_that_says_nothing_is_as_old_as_its_newest_entry() {
    let file = file_confirmed_at(TODAY);
    file.execute_batch("DELETE FROM meta").unwrap();
    file.execute("INSERT INTO rooms VALUES (?1), (5)", [TODAY as i64])
        .unwrap();
    assert!(!is_trusted(&run(&file, TODAY + 40 * DAY_MS, DAY / 2)));
    let today = run(&file, TODAY + DAY_MS / 2, Duration::ZERO);
    assert!(is_trusted(&today));
}

#[test]
fn jumps_forward_are_remembered_after_a_restart_too() {
    let file = file_confirmed_at(TODAY);
    let clock = ManualClock::at(TODAY);
    let mut guard = ClockGuard::load(&file, clock.read()).unwrap();
    guard.observe(clock.read());
    clock.advance(Duration::from_mins(30));
    let before = clock.read().wall_ms;
    let later = TODAY + 40 * DAY_MS;
    for jump in [later, TODAY, later] {
        clock.set_wall(jump);
        guard.observe(clock.read());
    }
    let expected = [TODAY..=before, TODAY..=TODAY].map(|before| ForwardJump {
        before,
        after_ms: later,
    });
    assert_eq!(guard.jumps(), expected);
    for jump in [TODAY, later].repeat(100) {
        clock.set_wall(jump);
        guard.observe(clock.read());
    }
    guard.save(&file).unwrap();
    let loaded = ClockGuard::load(&file, clock.read()).unwrap();
    assert_eq!(loaded.jumps(), guard.jumps());
    assert_eq!(loaded.jumps().len(), MAX_JUMPS);
}
