namespace StickyWs.Redis;

/// <summary>The Redis server that shares the pins: the section <c>StickyWs:Redis</c>, or code, or both. Read once; changes need a restart.</summary>
public sealed class RedisPinOptions
{
    /// <summary>The name of the configuration section that is bound by default: <c>StickyWs:Redis</c>.</summary>
    public const string SectionName = "StickyWs:Redis";

    /// <summary>
    /// The Redis server as <c>host:port</c>, or several separated by commas for a cluster or replicas, followed by any options of
    /// StackExchange.Redis: <c>redis1:6379,redis2:6379,keepAlive=30</c>. The default port is 6379, with TLS 6380. <c>abortConnect</c> is always
    /// false: the application also starts without Redis. Required.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// A prefix for every key and channel, so that several balancers can share a server. Pins are <c>&lt;prefix&gt;pin:&lt;key&gt;</c>, and the
    /// channel that announces them is <c>&lt;prefix&gt;pins</c>. Instances that share pins have the same prefix. 1 to 128 visible ASCII characters;
    /// default <c>stickyws:</c>.
    /// </summary>
    public string KeyPrefix { get; set; } = "stickyws:";

    /// <summary>The user (ACL, Redis 6). Needs a <see cref="Password"/>. Default: the server's <c>default</c> user.</summary>
    public string? User { get; set; }

    /// <summary>The password. Overrides one in <see cref="Configuration"/>, and may contain commas. Never logged. Default: none.</summary>
    public string? Password { get; set; }

    /// <summary>Whether to use TLS; the same as <c>ssl=true</c> in <see cref="Configuration"/>. Default <see langword="false"/>.</summary>
    public bool Tls { get; set; }

    /// <summary>The name to send (SNI) and to check in the server's certificate. Default: the host of its address.</summary>
    public string? TlsServerName { get; set; }

    /// <summary>
    /// A PEM file with the certificate authorities that may sign the server's certificate, instead of the machine's. Default: the machine's.
    /// </summary>
    public string? TlsCaCertificateFile { get; set; }

    /// <summary>The database number, 0 or more. All databases share the channels. Default: that of <see cref="Configuration"/>, or 0.</summary>
    public int? Database { get; set; }

    /// <summary>Errors from reading the configuration; the validator reports them together with its own.</summary>
    internal List<string> ReadErrors { get; } = [];
}
