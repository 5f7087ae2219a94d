namespace StickyWs.Tests.Configuration;

/// <summary>Every option: a value that is good and not the default, the nearest values that are not, and texts that are no value at all.</summary>
internal static class OptionTable
{
    private const string Rule = "Pools:chat:Affinity:Rules:0";

    private static readonly (string Key, string? Value)[] Passthrough =
    [
        ("Pools:chat:Match:ServerNames:0", "mail.example.com"), ("Pools:chat:Backends:a:Address", "tcp://10.0.0.1:443"),
    ];

    private static readonly string[] NoTime = ["5", "5s", "soon", "00:00:60"];
    private static readonly string[] NoWhole = ["many", "1.5", "99999999999"];
    private static readonly string[] NoNumber = ["half", "NaN", "Infinity", "0,5"];
    private static readonly string[] NoFlag = ["yes", "1"];

    public static readonly OptionRow[] Rows =
    [
        new("HeadDeadline", "00:00:07", ["00:00:00.0990000", "00:10:00.0010000", "-00:00:05", .. NoTime]),
        new("MaxHeadBytes", "2048", ["1023", "1048577", "-1", .. NoWhole]),
        new("MaxTunnels", "500", ["0", "100000001", .. NoWhole]),
        new("TrustedProxies:0", "10.0.0.0/8", ["10.0.0.0/33", "somewhere", "fd00::/129"]),
        new("Transport:RawLane", "Off", ["Always", "1", "On,Off", "true"]),
        new("Transport:Reactor", "Epoll", ["Uring", "0", "IoUring,Epoll", "epoll_wait"]),
        new("Transport:MaxBufferSize", "16384", ["16383", "16777217", .. NoWhole]),
        new("Transport:Reactors", "1024", ["0", "1025", "-1", .. NoWhole]),
        new("Transport:Tls", "OpenSsl", ["Schannel", "1", "Auto,OpenSsl", "true"]),
        new("Tls:TicketKeys:0", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", []),
        new("Transport:UnsafePreferInlineScheduling", "True", NoFlag),
        new("Pins:MaxPins", "1000", ["999", "100000001", "-1", .. NoWhole]),
        new("Pins:StoreTimeout", "00:00:00.0010000", ["00:00:00.0009999", "00:00:10.0010000", .. NoTime]),
        new("Shutdown:ReadinessDelay", "00:00:05", ["-00:00:00.0010000", "00:10:00.0010000", "none", .. NoTime]),
        new("Shutdown:Reserve", "00:00:00", ["-00:00:00.0010000", "00:10:00.0010000", "none", .. NoTime]),
        new("Shutdown:Goodbye", "False", NoFlag),
        new("Shutdown:CloseCode", "1012", ["999", "5000", "-1", .. NoWhole]),
        new("Shutdown:CloseReason", "see you", [new string('x', 124)]),
        new("Pools:chat:Match:Hosts:0", "*.example.com", ["example.com:80", "*", "a b", "http://example.com", "*.*.com"]),
        new("Pools:chat:Match:PathPrefixes:0", "/chat", ["chat", "/chat?x", "/a%20b", "//chat", "/#"]),
        new(
            "Pools:chat:Match:ServerNames:0",
            "*.example.com",
            ["mail.example.com:443", "*", "a b", "a..b", "a.example.", "*.*.com", "b\u00fccher.example", "10.0.0.1", "[::1]", "tcp://a.example"],
            ("Pools:chat:Tls", "Passthrough"),
            ("Pools:chat:Backends:a:Address", "tcp://10.0.0.1:443"))
        {
            IsNeededAlways = true,
        },
        new(
            "Pools:chat:Backends:a:Address",
            "https://10.0.0.1:5001",
            ["10.0.0.1:5000", "ftp://h:21", "http://h:5000/path", "http://h?x=1", "http://h#x", "http://user@h", "http://h:0", "ws://h", "http://*:5000"]),
        new("Pools:chat:Backends:a:Weight", "256", ["0", "257", "-1", .. NoWhole]),
        new("Pools:chat:Backends:a:Enabled", "False", NoFlag),
        new("Pools:chat:Backends:a:Mode", "HandOff", ["Drain", "1", "On,Stop", "false"]),
        new("Pools:chat:Backends:a:MaxTunnels", "9", ["0", "100000001", .. NoWhole]),
        new("Pools:chat:Backends:a:MaxHandshakes", "1000000", ["0", "1000001", "-1", .. NoWhole]),
        new("Pools:chat:Backends:a:HandshakeRate", "0.1", ["0", "0.099", "1000001", "-1", .. NoNumber]),
        new("Pools:chat:Backends:a:MaxRequests", "1000000", ["0", "1000001", "-1", .. NoWhole]),
        new("Pools:chat:Queue:Length", "0", ["-1", "1000001", .. NoWhole]),
        new("Pools:chat:Queue:Timeout", "00:10:00", ["00:00:00.0090000", "00:10:00.0010000", "none", .. NoTime]),
        new("Pools:chat:SlowStart", "01:00:00", ["00:00:00.9990000", "01:00:00.0010000", "00:00:00", .. NoTime]),
        new("Pools:chat:Policy", "LeastConnections", ["Random", "Round Robin"]),
        new($"{Rule}:Cookie:Name", "sticky_1", ["a b", "a=b", "a;b", "k\u00e4se", "a\r\nb"]),
        new($"{Rule}:Cookie:Keys:0", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", []),
        new($"{Rule}:Cookie:Lifetime", "400.00:00:00", ["00:00:59.9990000", "400.00:00:00.0010000", "-00:05:00", "session", .. NoTime]),
        new($"{Rule}:Cookie:Path", "/chat", ["chat", "/a b", "/a;b", "/\u00fc", "/a\r\nb"]),
        new(
            $"{Rule}:Cookie:Domain",
            "example.com",
            ["a b", "example.com:80", "http://example.com", "10.0.0.1", "*.example.com", "..example.com", "a;b", "b\u00fccher.example"]),
        new($"{Rule}:Cookie:HttpOnly", "False", NoFlag),
        new($"{Rule}:Cookie:SameSite", "Strict", ["Loose", "1", "Lax,Strict", "None"]),
        new($"{Rule}:Cookie:Secure", "Always", ["Sometimes", "1", "true"]),
        new($"{Rule}:Cookie:Partitioned", "True", NoFlag, ($"{Rule}:Cookie:Secure", "Always")),
        new($"{Rule}:Header:Name", "X-User", ["X User", "X-\u00dcser", ":authority", "a,b", "a\r\nb"]),
        new($"{Rule}:Query:Name", "room", []),
        new($"{Rule}:PathSegment:Index", "100", ["-1", "101", .. NoWhole]),
        new($"{Rule}:ClientAddress:IPv4PrefixLength", "1", ["0", "33", "-1", .. NoWhole]),
        new($"{Rule}:ClientAddress:IPv6PrefixLength", "128", ["0", "129", "-1", .. NoWhole]),
        new($"{Rule}:Learn:Cookie", "sid", ["a b", "a=b", "a;b"]),
        new($"{Rule}:Learn:Header", "X-Session", ["X Session", "X:Session"]),
        new("Pools:chat:Affinity:HoldFor", "01:00:00", ["-00:00:00.0010000", "01:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Affinity:HoldWhenRefused", "True", NoFlag),
        new("Pools:chat:Affinity:PinLifetime", "30.00:00:00", ["00:00:00.9990000", "30.00:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Affinity:RevealBackend", "True", NoFlag),
        new("Pools:chat:Timeouts:Connect", "00:00:01", ["00:00:00.0090000", "00:05:00.0010000", .. NoTime]),
        new("Pools:chat:Timeouts:Handshake", "00:00:01", ["00:00:00.0090000", "00:10:00.0010000", .. NoTime]),
        new("Pools:chat:Timeouts:Activity", "1.00:00:00", ["00:00:00.0990000", "1.00:00:00.0010000", .. NoTime]),
        new("Pools:chat:Timeouts:Request", "7.00:00:00", ["00:00:00.0990000", "7.00:00:00.0010000", "-00:00:05", "never", .. NoTime]),
        new("Pools:chat:Connections:IdleTimeout", "1.00:00:00", ["00:00:00.0990000", "1.00:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Connections:Lifetime", "7.00:00:00", ["00:00:00.9990000", "7.00:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Tunnels:IdleTimeout", "7.00:00:00", ["00:00:00.0990000", "7.00:00:00.0010000", "-00:00:05", "never", .. NoTime]),
        new("Pools:chat:Tunnels:HalfClosedTimeout", "00:00:00.1000000", ["00:00:00.0990000", "7.00:00:00.0010000", "never", .. NoTime]),
        new("Pools:chat:Tunnels:MaxAge", "30.00:00:00", ["00:00:00.9990000", "30.00:00:00.0010000", "never", .. NoTime]),
        new("Pools:chat:Tunnels:DeadPeerTimeout", "1.00:00:00", ["00:00:01.9990000", "1.00:00:00.0010000", "never", .. NoTime]),
        new("Pools:chat:Tunnels:FollowFrames", "False", NoFlag),
        new("Pools:chat:Drain:Over", "00:00:20", ["-00:00:00.0010000", "1.00:00:00.0010000", "none", .. NoTime], ("Pools:chat:Drain:Deadline", "none"))
        {
            IsNeededAlways = true,
        },
        new("Pools:chat:Drain:Deadline", "7.00:00:00", ["7.00:00:00.0010000", "00:00:29.9990000", "-00:00:05", "never", .. NoTime]),
        new("Pools:chat:Drain:CloseTimeout", "00:00:00", ["-00:00:00.0010000", "00:10:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Drain:CloseCode", "4999", ["999", "5000", "-1", .. NoWhole]),
        new("Pools:chat:Drain:CloseReason", "see you", [new string('x', 124)]),
        new("Pools:chat:Drain:WhenRemoved", "HandOff", ["Stop", "1", "Keep,Cut"]),
        new("Pools:chat:OnDown", "Goodbye", ["HandOff", "1", "Keep,Cut"]),
        new("Pools:chat:Rebalance:Rate", "2.5", ["0", "10000.1", "none", .. NoNumber]),
        new("Pools:chat:Rebalance:Tolerance", "0.5", ["0", "10.1", "-1", .. NoNumber]),
        new("Pools:chat:Rebalance:MinimumIdle", "01:00:00", ["-00:00:00.0010000", "01:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Rebalance:SettleTime", "01:00:00", ["-00:00:00.0010000", "01:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Rebalance:Pinned", "True", NoFlag),
        new("Pools:chat:Rebalance:CloseCode", "4999", ["999", "5000", "-1", .. NoWhole]),
        new("Pools:chat:Rebalance:CloseReason", "see you", [new string('x', 124)]),
        new("Pools:chat:Outliers:Enabled", "False", NoFlag),
        new("Pools:chat:Outliers:Age", "01:00:00", ["00:00:00.0990000", "01:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:Outliers:MinimumEnds", "1000000", ["1", "1000001", .. NoWhole]),
        new("Pools:chat:Outliers:Share", "0.25", ["0", "1.1", .. NoNumber]),
        new("Pools:chat:Outliers:Window", "01:00:00", ["00:00:00.9990000", "01:00:00.0010000", "none", .. NoTime]),
        new("Pools:chat:WebSockets", "Pipeline", ["Middleware", "1", "Sniffed,Pipeline"]),
        new("Pools:chat:Upgrades:0", "SPDY/3.1", ["a b", "a,b", "tcp/", "/1", "a/b/c", "t\u00fcr", "a\r\nb"]),
        new("Pools:chat:WhenNoneHealthy", "UseAll", ["Panic", "1", "FailClosed,UseAll"]),
        new("Pools:chat:RetryAfter", "01:00:00", ["00:00:00.9990000", "01:00:00.0010000", .. NoTime]),
        new("Pools:chat:Health:Http:Path", "/healthz?deep=1", ["healthz", "/a b", "/ü", "/a#b", "http://h/"]),
        new("Pools:chat:Health:Http:Method", "HEAD", ["GET /", "G\u00c4T"]),
        new("Pools:chat:Health:Http:Host", "chat.example.com:8080", ["a b", "a\r\nX: y", "b\u00fccher.example"]),
        new("Pools:chat:Health:Http:Headers:X-Probe", "on", ["a\r\nb", "a\0b"]),
        new("Pools:chat:Health:Http:ExpectedStatus", "200,204,300-399", ["99", "600", "300-200", "200-", "2xx", "200,,204", "-"]),
        new("Pools:chat:Health:Http:ExpectedBody", "ready", []),
        .. Probe("Http"),
        .. Probe("Tcp"),
        .. Probe("Tls", [("Pools:chat:Tls", "Passthrough"), .. Passthrough]),
        new("Pools:chat:Health:WebSocket:Path", "/ws", ["ws", "/a b"]),
        new("Pools:chat:Health:WebSocket:Host", "chat.example.com", ["a b", "a\r\nX: y"]),
        new("Pools:chat:Health:WebSocket:Headers:Origin", "https://example.com", ["a\r\nb"]),
        new("Pools:chat:Health:WebSocket:Subprotocol", "graphql-ws", ["a, b", "a b"]),
        .. Probe("WebSocket"),
        new("Pools:chat:Health:Passive:Enabled", "False", NoFlag),
        new("Pools:chat:Health:Passive:FailureRatio", "1", ["0.009", "1.001", "-0.5", .. NoNumber]),
        new("Pools:chat:Health:Passive:MinimumThroughput", "2", ["1", "1000001", .. NoWhole]),
        new("Pools:chat:Health:Passive:MinimumClients", "1", ["0", "101", .. NoWhole]),
        new("Pools:chat:Health:Passive:SamplingDuration", "00:01:00", ["00:00:00.4990000", "1.00:00:00.0010000", .. NoTime]),
        new("Pools:chat:Health:Passive:BreakDuration", "00:01:00", ["00:00:00.4990000", "1.00:00:00.0010000", .. NoTime]),
        new("Pools:chat:Tls:Mode", "Passthrough", ["Split", "1", "Terminate,Passthrough"], Passthrough),
        new("Pools:chat:Tls:ServerName", "chat.example.com", []),
        new("Pools:chat:Tls:CaCertificateFile", TestCertificate.WriteAuthorityFile(), ["/no/such/file.pem", typeof(OptionTable).Assembly.Location]),
        new("Pools:chat:Tls:DangerousAcceptAnyCertificate", "True", NoFlag),
        new("Pools:chat:HttpVersion", "Http2", ["Http3", "2"]),
    ];

    public static OptionRow Named(string key) => Rows.Single(row => row.Key == key);

    private static IEnumerable<OptionRow> Probe(string kind, params (string Key, string? Value)[] needs) =>
    [
        new($"Pools:chat:Health:{kind}:Interval", "00:00:00.0500000", ["00:00:00.0490000", "01:00:00.0010000", .. NoTime], needs) { IsNeededAlways = true },
        new($"Pools:chat:Health:{kind}:Timeout", "00:05:00", ["00:00:00.0090000", "00:05:00.0010000", .. NoTime], needs) { IsNeededAlways = true },
        new($"Pools:chat:Health:{kind}:Rise", "100", ["0", "101", .. NoWhole], needs) { IsNeededAlways = true },
        new($"Pools:chat:Health:{kind}:Fall", "1", ["0", "101", .. NoWhole], needs) { IsNeededAlways = true },
        new($"Pools:chat:Health:{kind}:Retries", "10", ["-1", "11", .. NoWhole], needs) { IsNeededAlways = true },
        new($"Pools:chat:Health:{kind}:Jitter", "1", ["-0.1", "1.001", .. NoNumber], needs) { IsNeededAlways = true },
    ];
}
