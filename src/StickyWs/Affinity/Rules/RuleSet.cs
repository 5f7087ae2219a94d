using System.Collections.Immutable;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>A pool's rules, built once from its options, and the services they use.</summary>
internal sealed class RuleSet
{
    public RuleSet(string pool, AffinityOptions options, AffinityServices services)
    {
        Options = options;
        Services = services;
        Rules = [.. options.Rules.Select(rule => Make(pool, rule))];
        Learning = [.. Rules.Where(rule => rule.Learns)];
        Address = Make(pool, new ClientAddressAffinityOptions());
    }

    public AffinityOptions Options { get; }

    public AffinityServices Services { get; }

    public Pins Pins => Services.Pins;

    public OpenClaims Open => Services.Open;

    public StickyWsMetrics Metrics => Services.Metrics;

    public TimeProvider Time => Services.Time;

    /// <summary>The rules in configured order.</summary>
    public ImmutableArray<AffinityRule> Rules { get; }

    /// <summary>The one of <see cref="Rules"/> that issues the balancer's cookie.</summary>
    public CookieRule? Cookie { get; private set; }

    /// <summary>Those of <see cref="Rules"/> that learn their keys from responses.</summary>
    public ImmutableArray<AffinityRule> Learning { get; }

    /// <summary>What all instances agree on while they cannot share what they learn.</summary>
    public HashRule Address { get; }

    private AffinityRule Make(string pool, AffinityRuleOptions rule) => rule switch
    {
        { Cookie: { } cookie } => Cookie ??= new CookieRule(cookie, Services.Seals.For(pool, cookie), Time),
        { Header: { } header } => new HeaderRule(pool, header.Name),
        { Query: { } query } => new QueryRule(pool, query.Name),
        { PathSegment: { } segment } => new PathSegmentRule(pool, segment.Index),
        { ClientAddress: { } address } => Make(pool, address),
        { SignalR: not null } => new SignalRRule(pool),
        { SocketIO: not null } => new SocketIORule(pool),
        { Learn.Cookie: { } cookie } => new LearntCookieRule(pool, cookie),
        { Learn.Header: { } header } => new LearntHeaderRule(pool, header),
        _ => throw new InvalidOperationException("A rule of no kind; the validator lets none through."),
    };

    private ClientAddressRule Make(string pool, ClientAddressAffinityOptions options)
        => new(pool, Services.Registry, options.IPv4PrefixLength, options.IPv6PrefixLength);
}

/// <summary>The services that the rules of all pools share.</summary>
internal sealed record AffinityServices(BackendRegistry Registry, Pins Pins, CookieSeals Seals, StickyWsMetrics Metrics, TimeProvider Time)
{
    public OpenClaims Open { get; } = new();

    public Releases Releases { get; } = new(Time);
}
