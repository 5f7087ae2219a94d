using System.Collections.Immutable;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>The rules of a pool, made from its options once, and what they work with.</summary>
internal sealed class RuleSet
{
    public RuleSet(string pool, AffinityOptions options, AffinityServices services)
    {
        Options = options;
        Services = services;
        Rules = [.. options.Rules.Select(rule => Make(pool, rule))];
        Cookie = Rules.OfType<CookieRule>().FirstOrDefault();
        Learning = [.. Rules.OfType<PinRule>()];
        Address = Make(pool, new ClientAddressAffinityOptions());
    }

    public AffinityOptions Options { get; }

    public AffinityServices Services { get; }

    public Pins Pins => Services.Pins;

    public OpenClaims Open => Services.Open;

    public StickyWsMetrics Metrics => Services.Metrics;

    public TimeProvider Time => Services.Time;

    /// <summary>In the user's order; each a <see cref="HashRule"/>, a <see cref="PinRule"/> or the <see cref="CookieRule"/>.</summary>
    public ImmutableArray<object> Rules { get; }

    public CookieRule? Cookie { get; }

    public ImmutableArray<PinRule> Learning { get; }

    /// <summary>What all instances agree on while they cannot share what they learn.</summary>
    public HashRule Address { get; }

    private object Make(string pool, AffinityRuleOptions rule) => rule switch
    {
        { Cookie: { } cookie } => new CookieRule(cookie, Services.Seals.For(pool, cookie), Time),
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
