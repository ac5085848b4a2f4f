//! Screenshots: base64 decoding and QR code recognition.

use crate::tab::Tab;

/// Decodes base64.
pub fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut bits = 0_u32;
    let mut held = 0;
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

/// The contents of the QR codes shown in this tab. `canvas` is an empty tab that decodes the PNG.
pub fn codes_in(tab: &Tab, canvas: &Tab) -> Vec<String> {
    let script = format!(
        "(async () => {{
            const bytes = await (await fetch('data:image/png;base64,{}')).blob();
            const image = await createImageBitmap(bytes);
            const canvas = new OffscreenCanvas(image.width, image.height);
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const pixels = context.getImageData(0, 0, image.width, image.height).data;
            let shades = '';
            for (let i = 0; i < pixels.length; i += 4) {{
                shades += String.fromCharCode((pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3);
            }}
            return [image.width, btoa(shades)];
        }})()",
        tab.capture_png()
    );
    let answer = canvas.eval(&format!("await {script}"));
    let width = answer[0].as_u64().unwrap() as usize;
    let shades = from_base64(answer[1].as_str().unwrap());
    let shade = |x, y| shades[y * width + x];
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(width, shades.len() / width, shade);
    picture
        .detect_grids()
        .iter()
        .filter_map(|grid| Some(grid.decode().ok()?.1))
        .collect()
}
