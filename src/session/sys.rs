//! The only unsafe code of this program: system calls that no crate wraps, each in a function of its own.

pub(crate) mod process;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::libc;
use pam_client::Context;

/// The system's allocator, which wipes what is given back to it.
pub(crate) struct Wiping;

// SAFETY: every call goes to the system's allocator with the same arguments; a block is written to within its bounds only,
// while it is still ours.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc_zeroed(layout) }
    }

    // `realloc` is the trait's own: a new block, a copy, and `dealloc` of the old one.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has `layout.size()` bytes and is the caller's until the next line.
        unsafe { libc::explicit_bzero(block.cast(), layout.size()) };
        // SAFETY: the caller's promise is the system's.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Takes a descriptor that was inherited; `None` if it is not open. To be called once for each number, before anything
/// else opens descriptors.
pub(crate) fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: asks for flags only.
    let open = unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0;
    // SAFETY: it is open, and nobody else in this program owns it.
    open.then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

/// Closes every descriptor from `first` on.
pub(crate) fn close_from(first: u32) -> nix::Result<()> {
    // SAFETY: at this moment no object of this program owns a descriptor from `first` on.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    Errno::result(closed).map(drop)
}

/// Gives every signal its default action.
pub(crate) fn default_signals() {
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: sets no handler. SIGKILL, SIGSTOP and those of the C library cannot be set: they are as they were.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
}

/// Lets a write to a hub that is gone fail instead of ending this program. Whatever is executed inherits that, so a server
/// gets [`default_signals`] first.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: sets no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Empties the environment.
pub(crate) fn clear_environment() -> bool {
    // SAFETY: there is one thread, and nobody holds a pointer into the environment.
    unsafe { libc::clearenv() == 0 }
}

/// Whether this program was given privileges by its file's mode: then nothing that it inherited can be trusted.
pub(crate) fn is_setuid() -> bool {
    // SAFETY: reads a value of the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Random bytes of the kernel.
pub(crate) fn random<const N: usize>() -> nix::Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    // SAFETY: writes into `bytes`, and no more than it holds. Up to 256 bytes come whole.
    let count = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    match usize::try_from(count) {
        Ok(count) if count == N => Ok(bytes),
        Ok(_) => Err(Errno::EIO),
        Err(_) => Err(Errno::last()),
    }
}

/// What the shadow file, or whatever the name service has in its place, says about ages; days, negative for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ages {
    /// When the password was changed last.
    pub(crate) changed: i64,
    /// For how long it is good.
    pub(crate) good_for: i64,
    /// For how long it can be changed after that.
    pub(crate) inactive: i64,
    /// When the account expires.
    pub(crate) expires: i64,
}

/// Looks up an account's ages.
pub(crate) fn ages(name: &CStr) -> Option<Ages> {
    let mut buffer: Vec<libc::c_char> = vec![0; 1024];
    loop {
        let mut entry = MaybeUninit::<libc::spwd>::uninit();
        let mut found = std::ptr::null_mut();
        // SAFETY: writes into `entry`, `found` and, as far as told, `buffer`.
        let result = unsafe {
            libc::getspnam_r(
                name.as_ptr(),
                entry.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        if result == libc::ERANGE && buffer.len() < 1024 * 1024 {
            buffer = vec![0; buffer.len().saturating_mul(2)];
            continue;
        }
        if result != 0 || found.is_null() {
            return None;
        }
        // SAFETY: it was found, so the entry is filled in.
        let entry = unsafe { entry.assume_init() };
        return Some(Ages {
            changed: entry.sp_lstchg,
            good_for: entry.sp_max,
            inactive: entry.sp_inact,
            expires: entry.sp_expire,
        });
    }
}

/// Lets `syslog` name this program.
pub(crate) fn open_log() {
    // SAFETY: the text lives as long as the program.
    unsafe { libc::openlog(c"orrery-session".as_ptr(), libc::LOG_PID, libc::LOG_AUTHPRIV) };
}

/// Writes one line to `authpriv`.
pub(crate) fn log(severity: libc::c_int, line: &CStr) {
    // SAFETY: the format takes one text, and is given one.
    unsafe { libc::syslog(libc::LOG_AUTHPRIV | severity, c"%s".as_ptr(), line.as_ptr()) };
}

/// Microseconds that modules asked to wait for after a failure.
static FAIL_DELAY: AtomicU64 = AtomicU64::new(0);

extern "C" fn note_delay(_result: libc::c_int, microseconds: libc::c_uint, _data: *mut libc::c_void) {
    FAIL_DELAY.store(u64::from(microseconds), Ordering::Relaxed);
}

/// Takes the waiting after a failure over from PAM, whose is random around the mean: [`fail_delay`] tells what a module
/// asked for.
#[expect(clippy::as_conversions, reason = "PAM takes a function for a pointer to data")]
pub(crate) fn take_fail_delay<C>(context: &mut Context<C>) -> Result<(), pam_client::Error> {
    let function: extern "C" fn(libc::c_int, libc::c_uint, *mut libc::c_void) = note_delay;
    // SAFETY: PAM_FAIL_DELAY is a function of this signature, and PAM keeps the pointer itself.
    unsafe { context.set_item(PAM_FAIL_DELAY, function as *const libc::c_void) }
}

/// From `_pam_types.h`.
const PAM_FAIL_DELAY: libc::c_int = 10;

/// Microseconds that modules asked to wait for.
pub(crate) fn fail_delay() -> u64 {
    FAIL_DELAY.load(Ordering::Relaxed)
}
