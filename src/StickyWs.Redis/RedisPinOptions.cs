namespace StickyWs.Redis;

/// <summary>The Redis server that shares the pins: the section <c>StickyWs:Redis</c>, or code, or both. Read once; a change needs a new start.</summary>
public sealed class RedisPinOptions
{
    /// <summary>The name of the configuration section that is bound by default: <c>StickyWs:Redis</c>.</summary>
    public const string SectionName = "StickyWs:Redis";

    /// <summary>
    /// Where Redis listens: <c>host:port</c>, several of them with commas between for a cluster or for replicas, and behind them any option of
    /// StackExchange.Redis, such as <c>redis1:6379,redis2:6379,keepAlive=30</c>. Without a port it is 6379, with TLS 6380. <c>abortConnect</c> is
    /// always false: the application starts without Redis as well. Required.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// In front of every key and channel, so that several balancers can share a server: the pins are <c>&lt;prefix&gt;pin:&lt;key&gt;</c>, the news
    /// of them come over the channel <c>&lt;prefix&gt;pins</c>. Instances that share pins have the same. 1 to 128 visible ASCII characters; default
    /// <c>stickyws:</c>.
    /// </summary>
    public string KeyPrefix { get; set; } = "stickyws:";

    /// <summary>The user (ACL, Redis 6). Needs a <see cref="Password"/>. Default: the server's <c>default</c> user.</summary>
    public string? User { get; set; }

    /// <summary>The password; goes before one in <see cref="Configuration"/>, and may hold commas. Never logged. Default: none.</summary>
    public string? Password { get; set; }

    /// <summary>Whether to speak TLS; <c>ssl=true</c> in <see cref="Configuration"/> says the same. Default <see langword="false"/>.</summary>
    public bool Tls { get; set; }

    /// <summary>The name asked for (SNI) and checked in the server's certificate. Default: the host of its address.</summary>
    public string? TlsServerName { get; set; }

    /// <summary>
    /// A PEM file with the certificate authorities that may sign the server's certificate, instead of the machine's own. Default: the machine's.
    /// </summary>
    public string? TlsCaCertificateFile { get; set; }

    /// <summary>The number of the database, 0 or more. Channels are the same in all of them. Default: that of <see cref="Configuration"/>, or 0.</summary>
    public int? Database { get; set; }

    /// <summary>What could not be read from the configuration; the validator reports it together with everything else.</summary>
    internal List<string> ReadErrors { get; } = [];
}
