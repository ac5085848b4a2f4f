use super::*;
use std::io::Read;
use std::os::unix::net::UnixStream;
use tempfile::TempDir;

#[test]
fn file_id_follows_the_file_and_not_its_path() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    assert_eq!(FileId::at(&path).unwrap(), None);
    let file = File::create(&path).unwrap();
    let id = FileId::of(&file).unwrap();
    assert_eq!(FileId::at(&path).unwrap(), Some(id));
    assert_eq!(link_count(&file).unwrap(), 1);
    fs::rename(&path, folder.path().join("b")).unwrap();
    File::create(&path).unwrap();
    assert_ne!(FileId::at(&path).unwrap(), Some(id));
    fs::remove_file(folder.path().join("b")).unwrap();
    assert_eq!(FileId::of(&file).unwrap(), id);
    assert_eq!(link_count(&file).unwrap(), 0);
    sync_dir(folder.path()).unwrap();
}

#[test]
fn file_that_others_may_write_is_not_trusted() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    let not_found = open_trusted(&path).unwrap_err().kind();
    assert_eq!(not_found, ErrorKind::NotFound);
    let mut options = OpenOptions::new();
    owner_only(options.write(true).create_new(true));
    let file = options.open(&path).unwrap();
    assert!(open_trusted(&path).unwrap().is_some());
    for (mode, trusted) in [(0o644, true), (0o620, false), (0o602, false)] {
        file.set_permissions(Permissions::from_mode(mode)).unwrap();
        assert_eq!(open_trusted(&path).unwrap().is_some(), trusted, "{mode:o}");
    }
    restrict_to_owner(&file);
    assert_eq!(file.metadata().unwrap().mode() & 0o777, OWNER_MODE);
}

#[test]
fn link_pipe_and_socket_are_not_trusted() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a"), "").unwrap();
    std::os::unix::fs::symlink("a", path("link")).unwrap();
    std::os::unix::fs::symlink("nothing", path("dangling")).unwrap();
    let pipe = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), pipe, mode, 0).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    for name in ["link", "dangling", "pipe", "socket"] {
        assert!(open_trusted(&path(name)).unwrap().is_none(), "{name}");
    }
}

#[test]
fn disk_space_is_a_share_of_an_existing_file_system() {
    let space = disk_space(&std::env::temp_dir()).unwrap();
    assert!((0.0..=100.0).contains(&space.used_percent), "{space:?}");
    assert!(disk_space(Path::new("/nao/existe")).is_err());
}

#[test]
fn signal_mask_counts_from_one() {
    // SIGHUP is 1 and SIGINT is 2.
    assert!(is_in_mask(0b01, SIGHUP) && !is_in_mask(0b01, SIGINT));
    assert!(is_in_mask(0b10, SIGINT) && !is_in_mask(0b10, SIGHUP));
    // Rust's programs ignore SIGPIPE.
    assert!(is_in_mask(ignored_signals(), signal_hook::consts::SIGPIPE));
}

#[test]
fn nonblocking_terminal_receives_the_whole_frame() {
    let (output, mut terminal) = UnixStream::pair().unwrap();
    output.set_nonblocking(true).unwrap();
    let frame = vec![b'x'; 4 << 20];
    let reader = thread::spawn(move || {
        let mut received = Vec::new();
        terminal.read_to_end(&mut received).unwrap();
        received.len()
    });
    write_fully(&output, &frame).unwrap();
    drop(output);
    assert_eq!(reader.join().unwrap(), frame.len());
}
