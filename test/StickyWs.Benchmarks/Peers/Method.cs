using System.Globalization;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Traffic;

namespace StickyWs.Benchmarks.Peers;

/// <summary>The part of the page that says how it was measured.</summary>
internal static class Method
{
    public static string Describe(PeersOptions options, IReadOnlyList<string> versions) => string.Create(CultureInfo.InvariantCulture, $"""
        - Balancers {(Child.IsPinning ? "on core 1, backend and load on core 0" : "unpinned")}, in turns, another one first in
          each round; {options.Duration.TotalSeconds} s of load each, after a warm-up ({options.WarmUp.TotalSeconds} s with pauses for .NET, 2 s for the
          others). HTTP/1.1 over loopback, without TLS except in the rows "tls-". Backend and load are the same for all and wait with epoll in one thread
          each. CPU of a balancer is user and system time of all its processes, in nanoseconds; CPU of the machine is everything outside idle in the same
          time.
        - echo: 64 tunnels, one message of {Messages.Payload} B under way in each. A message is one there and one back.
        - bulk: 16 tunnels, {Messages.BulkDepth} messages of {Messages.BulkPayload / 1024} KiB under way in each, echoed as they
          arrive. A byte is counted twice, on its way there and on its way back.
        - handshake: 8 at a time connect, shake hands, send a FIN and wait for the FIN; at most 5,000 in a round.
        - http, http-large: 64 kept-alive connections, GET, {Exchange.All["small"].Received} B of body; in http-large {Exchange.All["large"].Received} B.
          "Inline" is the option `Transport:UnsafePreferInlineScheduling`, "direct" a pool with `Http: Direct`.
        - http-download, http-upload: 16 kept-alive connections, {Exchange.All["download"].Received} B with a length, in the answer or in the request.
        - idle: slope of `RssAnon` + `RssShmem` of all its processes between 2,000 and 8,000 tunnels that have carried one message each; .NET
          collects garbage first. Three rounds at most. http-idle: the same with kept-alive clients that have had one answer each.
        - many: as echo, 64 busy tunnels, first alone and then among 8,000.
        - watch: {WatchMeasurement.Tunnels:N0} tunnels, one message under way in each. "Dashboard" has `MapStickyWsDashboard`, which nobody looks at;
          "watched" one client that reads what the open page reads, as often: `state`, `tunnels?sample=500`, `flows`, `drains` and a page of the list every
          two seconds, `ends` and `refusals` every five, and the stream of events.
        - idle, "access lines": the category `StickyWs.Access` is on for tunnels, and its lines are rendered and dropped.
        - latency: 64 tunnels, messages at a fixed rate; added is what the same load without a balancer did not take in the same round.
        - stalled: the backend has {Messages.PushLimit / 1_000_000} MB for a client that does not read; the most in three seconds. Three rounds at most.
        - hostile: one client sends as fast as it can to a backend that takes everything; a balancer that follows frames in turns with one that does not
          (`FollowFrames: false`). "Pings" are empty, 6 B each; "endless" is one frame of 2^62 B, "lost" one of 2^63 B, which is none. "Trickled" are
          empty pings, each byte in a call of its own.
        - storm: {StormMeasurement.Backends} backends with {StormMeasurement.Tunnels / StormMeasurement.Backends:N0} tunnels each, the one with the fewest
          is next. One is killed; all of its clients come back at once, and whoever is refused tries again after 100 to 300 ms. Each of the others
          takes {StormMeasurement.HandshakeMilliseconds} ms for a handshake, one after the other, so that all could be back
          after {StormMeasurement.Tunnels / StormMeasurement.Backends * StormMeasurement.HandshakeMilliseconds / 1000.0 / (StormMeasurement.Backends - 1):F1} s.
          Another client sends {StormMeasurement.PerSecond:N0} messages per second through {StormMeasurement.WellBehaved} tunnels in turn; those at the backend
          that dies do not count. Its messages are part of the CPU; the clients that come back give way to them on their core.
          StickyWs: `MaxHandshakes: {StormMeasurement.Limit}` and a queue. HAProxy: `maxconn` and queue of a server, which hold tunnels as well,
          `option redispatch 1`, `retry-on conn-failure empty-response`, `observe layer4` with `on-error mark-down`. nginx: `max_conns`, likewise,
          `max_fails=1`, `proxy_next_upstream`. YARP: passive health checks. Three rounds at most,
          anew each.
        - goodbye, tls-goodbye: {GoodbyeMeasurement.Tunnels:N0} idle tunnels that have carried one message. Told to go over {GoodbyeMeasurement.Seconds} s by a
          hand-off, they answer; as many are closed by their clients over the same time. The backend closes first. CPU that the process takes without
          work, measured over three seconds with these tunnels at rest, is subtracted. 21.67 is what chi-square exceeds once in a hundred times by chance.
        - tls-: clients speak TLS 1.3 with TLS_AES_256_GCM_SHA384, which the load checks; one ECDSA P-256 certificate for all; tickets and session caches as
          each has them by default. Backend and load have their records from OpenSSL.
        - tls-echo, tls-http, tls-idle: as without TLS. tls-bulk: one message of {Messages.TlsBulkPayload / 1024} KiB under way in each of 16 tunnels.
        - tls-handshake: as without TLS, each a full TLS handshake; before the FIN a close_notify. tls-resumed: all resume the session of one connection
          before them, which the load checks.
        - tls-backend: as tls-echo, and TLS to the backend as well, whose certificate is not looked at.
        - tls-latency: 1,000 tunnels, while 200 tunnels a second are opened as in tls-handshake, by another thread of the load, which gives way to the
          messages'. The load without a balancer has the servers' part of these handshakes on its own core.
        - "OpenSSL's records" is `Transport:Tls=OpenSsl`; "SslStream" is `Transport:Tls=SslStream`. A peer that was built without TLS has no such rows.
        - HAProxy: one thread; nginx: one worker; both with long time-outs and without logs. "Splice" is `option splice-auto`,
          which takes effect about a second after a tunnel has opened.
        - {string.Join("; ", versions)}.
        """);
}
