/** Messages as phones send them, many of each kind, so that nothing is the same twice in a row. */

const SDP =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 8 101\r\n" +
  "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

export function registerText(i: number, cseq = 1): string {
  return `REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;rport;branch=z9hG4bK${i}x${cseq}\r\n` +
    `Max-Forwards: 70\r\nFrom: <sip:user${i}@example.com>;tag=t${i}\r\nTo: <sip:user${i}@example.com>\r\n` +
    `Call-ID: call-${i}@127.0.0.1\r\nCSeq: ${cseq} REGISTER\r\nContact: <sip:user${i}@127.0.0.1:5062>;expires=3600\r\n` +
    "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,MESSAGE\r\nUser-Agent: bench\r\nContent-Length: 0\r\n\r\n";
}

export function inviteText(i: number): string {
  return `INVITE sip:user${i}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;rport;branch=z9hG4bKi${i}\r\n` +
    `Max-Forwards: 70\r\nFrom: "Caller" <sip:caller@example.com>;tag=f${i}\r\nTo: <sip:user${i}@example.com>\r\n` +
    `Call-ID: c${i}@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: <sip:caller@127.0.0.1:5062>\r\nUser-Agent: bench\r\n` +
    `Supported: replaces, timer\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`;
}

export function ringingText(i: number): string {
  return `SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKours${i}.1\r\n` +
    `Via: SIP/2.0/UDP 127.0.0.1:5062;rport=5062;received=127.0.0.1;branch=z9hG4bKi${i}\r\n` +
    `Record-Route: <sip:127.0.0.1:5060;lr>\r\nFrom: "Caller" <sip:caller@example.com>;tag=f${i}\r\n` +
    `To: <sip:user${i}@example.com>;tag=u${i}\r\nCall-ID: c${i}@127.0.0.1\r\nCSeq: 1 INVITE\r\n` +
    `Contact: <sip:user${i}@127.0.0.1:5063>\r\nContent-Length: 0\r\n\r\n`;
}
