//! Everything that only Unix has: file modes and identities, limits, nonblocking sends, terminals and signals.
//!
//! The two programs share it. No other file of theirs names the system's own interfaces: a port to another system starts
//! and ends here. Knows the system; never knows what for.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, kill_current_process_group, setrlimit};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::ffi::c_int;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Read and write for the account alone.
const OWNER_MODE: u32 = 0o600;
/// A folder needs its execute permission.
const OWNER_DIR_MODE: u32 = 0o700;
/// Any permission of the group or of others.
const OTHERS: u32 = 0o077;
/// Write permission of the group or of others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A file that is created is readable and writable for this account only. An existing file keeps its mode.
pub fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(OWNER_MODE)
}

/// A folder that is created is accessible for this account only.
pub fn owner_only_dir(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(OWNER_DIR_MODE)
}

/// Opening does not wait, as it would for the reader of a named pipe: without one it fails.
pub fn open_at_once(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed())
}

/// Takes the permissions of others away from a regular file, for instance after it was copied.
pub fn restrict_to_owner(file: &File) {
    if file
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.mode() & OTHERS != 0)
    {
        let _ = file.set_permissions(Permissions::from_mode(OWNER_MODE));
    }
}

/// Opens a file to read it if its content can be trusted: `None` if it is a symbolic link or anything else than a regular
/// file, if it belongs to another account, or if others may write it.
///
/// # Errors
/// The system's error, an absent file among them.
pub fn open_trusted(path: &Path) -> io::Result<Option<File>> {
    // A link is not followed, and a named pipe is not waited for.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = match opened {
        // A link, a socket, or a file that belongs to another account.
        Err(_) if fs::symlink_metadata(path).is_ok() => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    let trusted = metadata.is_file()
        && metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.mode() & WRITABLE_BY_OTHERS == 0;
    Ok(trusted.then_some(file))
}

/// Which file this is, whatever its name: two paths with the same id are one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device.
    pub dev: u64,
    /// The inode on it.
    pub ino: u64,
}

impl FileId {
    /// Of an open file.
    ///
    /// # Errors
    /// The system's error.
    pub fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|metadata| Self::from(&metadata))
    }

    /// Of the file that a path leads to, symbolic links followed; `None` if there is none.
    ///
    /// # Errors
    /// The system's error, other than an absent file.
    pub fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::from(&metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
        }
    }
}

/// How many names an open file has; 0 once it is deleted.
///
/// # Errors
/// The system's error.
pub fn link_count(file: &File) -> io::Result<u64> {
    file.metadata().map(|metadata| metadata.nlink())
}

/// Fills the buffer with what a file has from this byte on, in one system call and whatever its position is.
///
/// # Errors
/// The system's error, or that the file ends before.
pub fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(buffer, at)
}

/// Writes all of it from this byte of a file on, in one system call and whatever its position is.
///
/// # Errors
/// The system's error; a part may have been written.
pub fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

/// Lets the system begin to write these bytes of a file to the disk, without waiting; they may leave its cache.
///
/// # Errors
/// The system's error; nothing is lost.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn start_writing(file: &File, at: u64, length: u64) -> io::Result<()> {
    let length = std::num::NonZeroU64::new(length);
    rustix::fs::fadvise(file, at, length, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

/// Where this can't be asked for, the system writes when it likes.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn start_writing(_file: &File, _at: u64, _length: u64) -> io::Result<()> {
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// The system's error.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The space of a file system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiskSpace {
    /// Bytes that this account may still use.
    pub free: u64,
    /// Bytes that are used or free.
    pub size: u64,
    /// The used share as `df` counts it, in percent: what is reserved for root is neither used nor free.
    pub used_percent: f64,
}

/// The space of the file system in which this file or folder lies.
///
/// # Errors
/// The system's error.
pub fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let found = rustix::fs::statvfs(path)?;
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    let available = found.f_bavail;
    let used_percent = match used + available {
        0 => 100.0,
        all => 100.0 * used as f64 / all as f64,
    };
    Ok(DiskSpace {
        free: available.saturating_mul(found.f_frsize),
        size: (used + available).saturating_mul(found.f_frsize),
        used_percent,
    })
}

/// The limit of open descriptors, after raising the soft limit to the hard one; `None` if there is none.
pub fn raise_descriptor_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if current != maximum && setrlimit(Resource::Nofile, raised).is_ok() {
        maximum
    } else {
        current
    }
}

/// The limit of this process's address space, in bytes.
pub fn address_space_limit() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// The address space that this process uses, in bytes.
pub fn address_space_used() -> Option<u64> {
    let kibibytes: u64 = process_status("VmSize:")?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kibibytes * 1024)
}

/// How many memory maps a process may have.
pub fn memory_map_limit() -> Option<u64> {
    read_number("/proc/sys/vm/max_map_count")
}

/// The largest number of a process or thread.
pub fn process_id_limit() -> Option<u64> {
    read_number("/proc/sys/kernel/pid_max")
}

/// How many threads the machine may have.
pub fn thread_limit() -> Option<u64> {
    read_number("/proc/sys/kernel/threads-max")
}

/// How many threads the processes of this control group may have.
pub fn group_thread_limit() -> Option<u64> {
    read_number("/sys/fs/cgroup/pids.max")
}

fn read_number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A field of this process's status, with its name as it stands there.
fn process_status(field: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().to_owned())
}

/// Sends what a blocking socket takes at once, in one system call; 0 if it takes nothing now.
///
/// # Errors
/// When the connection is gone.
#[inline]
pub fn try_send(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(sent) => return Ok(sent),
            Err(Errno::AGAIN) => return Ok(0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Standard output or standard error, past the standard library's buffers and locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardStream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl StandardStream {
    /// A file of its own on the same stream.
    ///
    /// # Errors
    /// When there is no descriptor left.
    pub fn open(self) -> io::Result<File> {
        let descriptor = match self {
            Self::Output => io::stdout().as_fd().try_clone_to_owned(),
            Self::Error => io::stderr().as_fd().try_clone_to_owned(),
        };
        Ok(File::from(descriptor?))
    }
}

/// Writes all of it, waiting as long as that takes, even if another program has left the terminal in nonblocking mode.
///
/// # Errors
/// The system's error; a part may have been written.
pub fn write_fully<W: AsFd>(output: &W, mut bytes: &[u8]) -> io::Result<()>
where
    for<'a> &'a W: Write,
{
    let mut writer = output;
    while !bytes.is_empty() {
        match writer.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                match poll(&mut [PollFd::new(output, PollFlags::OUT)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Lets this thread write from the background to a terminal that stops programs for that (`stty tostop`): the whole
/// program would be stopped.
pub fn allow_background_output() {
    use nix::sys::signal::{SigSet, Signal};
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTTOU);
    // Without it only such a terminal makes a difference.
    let _ = signals.thread_block();
}

/// Columns and rows of the terminal on standard output; `None` if it is no terminal.
pub fn terminal_size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some((size.ws_col, size.ws_row))
}

/// Whether any of the three standard streams is a terminal.
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

/// Whether the parent can continue this process after a stop: a shell in the same session.
pub fn has_shell() -> bool {
    use nix::unistd::{getppid, getsid};
    // A parent outside the container has the id 0, for which `getsid` would answer about this process. Its session is
    // reported as 0 too; it only has to differ from ours.
    let parent = getppid();
    parent.as_raw() != 0 && getsid(Some(parent)) == getsid(None)
}

/// Stops the process group, as Ctrl+Z does for any program; returns when it is continued.
///
/// # Errors
/// The system's error.
pub fn stop_process_group() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::STOP)?)
}

/// What a shell asks of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobControl {
    /// To stop (SIGTSTP).
    Suspend,
    /// It was continued after a stop (SIGCONT).
    Resume,
}

/// Reports stopping and continuing from a thread of its own, until `report` returns false.
///
/// # Errors
/// When the signals can't be registered, or there is no thread left.
pub fn watch_job_control(
    mut report: impl FnMut(JobControl) -> bool + Send + 'static,
) -> io::Result<()> {
    let mut signals = Signals::new([SIGTSTP, SIGCONT])?;
    let watch = move || {
        for signal in signals.forever() {
            let change = match signal {
                SIGTSTP => JobControl::Suspend,
                _ => JobControl::Resume,
            };
            if !report(change) {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name("signals".into());
    thread.spawn(watch).map(drop)
}

/// Why the program is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// Ctrl+C (SIGINT).
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The terminal is gone (SIGHUP).
    HangUp,
}

/// Calls `handler` for each request to end, from threads of its own.
///
/// A signal that was ignored when the program started stays ignored: SIGHUP under `nohup`, SIGINT in the background of a
/// script. To be called once.
///
/// # Errors
/// When the signals can't be registered, or there is no thread left.
pub fn on_stop_signal(handler: impl Fn(StopSignal) + Send + Sync + 'static) -> io::Result<()> {
    let ignored = ignored_signals();
    let handler = Arc::new(handler);
    if !is_in_mask(ignored, SIGINT) {
        let handler = handler.clone();
        ctrlc::set_handler(move || handler(StopSignal::Interrupt)).map_err(io::Error::other)?;
    }
    let others = [SIGTERM, SIGHUP];
    let mut signals = Signals::new(
        others
            .iter()
            .filter(|signal| !is_in_mask(ignored, **signal)),
    )?;
    let watch = move || {
        for signal in signals.forever() {
            handler(match signal {
                SIGHUP => StopSignal::HangUp,
                _ => StopSignal::Terminate,
            });
        }
    };
    let thread = thread::Builder::new().name("stop-signals".into());
    thread.spawn(watch).map(drop)
}

/// A write beyond the limit of file sizes (`ulimit -f`) becomes an error, where the signal of it would end the process.
///
/// # Errors
/// When the signal can't be registered.
pub fn survive_file_size_limit() -> io::Result<()> {
    if !is_in_mask(ignored_signals(), SIGXFSZ) {
        // Any handler will do.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    }
    Ok(())
}

/// The signals that this process ignores, as a mask; none where the system does not tell.
fn ignored_signals() -> u64 {
    process_status("SigIgn:")
        .and_then(|mask| u64::from_str_radix(&mask, 16).ok())
        .unwrap_or_default()
}

fn is_in_mask(mask: u64, signal: c_int) -> bool {
    mask & (1 << (signal - 1)) != 0
}

#[cfg(test)]
#[path = "platform_tests.rs"]
mod tests;
