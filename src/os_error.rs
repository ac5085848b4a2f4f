//! The system's errors in Portuguese; its own texts are English.
//!
//! Knows what can go wrong with files, sockets and memory; never knows which operation failed.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

/// Open files of this process, and of all processes, are at their limit (Linux and the BSDs agree on these two).
const TOO_MANY_OPEN: [i32; 2] = [23, 24];

/// A named pipe that nobody reads, or a device that is not there.
const NO_SUCH_DEVICE: i32 = 6;

/// The reason as the middle of a sentence.
pub fn describe(error: &io::Error) -> Cow<'static, str> {
    if let Some(text) = translate(error) {
        return text.into();
    }
    match (error.raw_os_error(), error.get_ref()) {
        (Some(number), _) => format!("erro {number} do sistema").into(),
        // Not from the system: the text is this program's own.
        (None, Some(own)) => own.to_string().into(),
        (None, None) => "erro inesperado".into(),
    }
}

fn translate(error: &io::Error) -> Option<&'static str> {
    if error
        .raw_os_error()
        .is_some_and(|number| TOO_MANY_OPEN.contains(&number))
    {
        return Some("já há arquivos abertos demais");
    }
    if error.raw_os_error() == Some(NO_SUCH_DEVICE) {
        return Some("não há ninguém do outro lado");
    }
    Some(match error.kind() {
        ErrorKind::NotFound => "não existe esse arquivo ou pasta",
        ErrorKind::PermissionDenied => "sem permissão",
        ErrorKind::AlreadyExists => "já existe",
        ErrorKind::IsADirectory => "é uma pasta",
        ErrorKind::NotADirectory => "o caminho passa por algo que não é uma pasta",
        ErrorKind::ReadOnlyFilesystem => "o disco só deixa ler",
        ErrorKind::StorageFull => "o disco está cheio",
        ErrorKind::QuotaExceeded => "acabou a sua parte do disco",
        ErrorKind::FileTooLarge => "o arquivo é grande demais",
        ErrorKind::InvalidFilename => "o sistema não aceita esse nome de arquivo",
        ErrorKind::ResourceBusy => "está em uso",
        ErrorKind::OutOfMemory => "acabou a memória",
        ErrorKind::WouldBlock => "o sistema não tem mais para dar agora",
        ErrorKind::TimedOut => "demorou demais",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            "o outro lado desligou"
        }
        ErrorKind::UnexpectedEof => "acabou no meio",
        ErrorKind::AddrInUse => "o endereço já está em uso",
        ErrorKind::AddrNotAvailable => "o endereço não é deste computador",
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown => {
            "a rede não chega até lá"
        }
        ErrorKind::Unsupported => "este sistema não sabe fazer isso",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_are_described_in_portuguese() {
        let no_file = std::fs::File::open("/nao/existe").unwrap_err();
        assert_eq!(describe(&no_file), "não existe esse arquivo ou pasta");
        assert_eq!(
            describe(&io::Error::from_raw_os_error(24)),
            "já há arquivos abertos demais"
        );
        for number in 1..140 {
            let english = io::Error::from_raw_os_error(number).to_string();
            let described = describe(&io::Error::from_raw_os_error(number));
            assert!(!english.contains(&*described), "{number}: {described}");
        }
    }

    #[test]
    fn own_error_text_is_kept() {
        assert_eq!(
            describe(&io::Error::new(ErrorKind::InvalidData, "apague-o")),
            "apague-o"
        );
        assert_eq!(describe(&ErrorKind::InvalidData.into()), "erro inesperado");
    }
}
