namespace StickyWs.Benchmarks.Balancers;

/// <summary>One who is compared: a name and a way to start it.</summary>
/// <param name="Key">The name on the command line and in targets.</param>
/// <param name="Name">The name in the table.</param>
/// <param name="IsJitted">Whether it compiles while it runs, and so has to be warmed up.</param>
/// <param name="Part">Where it takes part.</param>
/// <param name="StartAsync">Starts it.</param>
internal sealed record Contestant(string Key, string Name, bool IsJitted, Part Part, Func<Place, Task<Balancer>> StartAsync)
{
    public const string Raw = "raw";
    public const string Inline = "inline";
    public const string Frameless = "frameless";
    public const string Direct = "direct";
    public const string Gateway = "gateway";
    public const string Dashboard = "dashboard";
    public const string Watched = "watched";
    public const string Logged = "logged";
    public const string Epoll = "epoll";
    public const string Kept = "kept";
    public const string SslStream = "sslstream";
    public const string Portable = "portable";
    public const string Yarp = "yarp";
    public const string HaProxy = "haproxy";
    public const string HaProxySplice = "haproxy-splice";
    public const string Nginx = "nginx";

    /// <summary>Whether it is StickyWs.</summary>
    public bool IsOurs => Key is Raw or Inline or Epoll or Kept or SslStream or Portable;

    public bool TakesPart(Wiring wiring) => Part == Part.All || (Part != Part.Seen && (Part == Part.WithTls) == (wiring != Wiring.Plain));
}
