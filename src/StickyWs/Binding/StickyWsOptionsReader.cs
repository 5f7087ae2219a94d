using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>Reads the options from a configuration section: every key that StickyWs knows, in one place.</summary>
internal sealed class StickyWsOptionsReader(IConfigurationSection section) : IConfigureOptions<StickyWsOptions>
{
    public void Configure(StickyWsOptions options)
    {
        var reader = new SectionReader(section, options.ReadErrors);
        options.NamesPools |= reader.Each("Pools", (name, pool) => ReadPool(pool, Get(options.Pools, name)));
        reader.Time(nameof(options.HeadDeadline), v => options.HeadDeadline = v);
        reader.Whole(nameof(options.MaxHeadBytes), v => options.MaxHeadBytes = v);
        reader.Whole(nameof(options.MaxTunnels), v => options.MaxTunnels = v);
        reader.List(nameof(options.TrustedProxies), options.TrustedProxies);
        reader.Section(nameof(options.Transport), transport =>
        {
            transport.Choice<RawLaneMode>(nameof(options.Transport.RawLane), v => options.Transport.RawLane = v);
            transport.Choice<ReactorMode>(nameof(options.Transport.Reactor), v => options.Transport.Reactor = v);
            transport.Choice<TlsMode>(nameof(options.Transport.Tls), v => options.Transport.Tls = v);
            transport.Whole(nameof(options.Transport.Reactors), v => options.Transport.Reactors = v);
            transport.Whole(nameof(options.Transport.MaxBufferSize), v => options.Transport.MaxBufferSize = v);
            transport.Flag(nameof(options.Transport.UnsafePreferInlineScheduling), v => options.Transport.UnsafePreferInlineScheduling = v);
        });
        reader.Section(nameof(options.Tls), tls => tls.Secrets(nameof(options.Tls.TicketKeys), options.Tls.TicketKeys));
        reader.Section(nameof(options.Pins), pins =>
        {
            pins.Whole(nameof(options.Pins.MaxPins), v => options.Pins.MaxPins = v);
            pins.Time(nameof(options.Pins.StoreTimeout), v => options.Pins.StoreTimeout = v);
        });
        reader.Section(nameof(options.AccessLog), log =>
        {
            log.Flag(nameof(options.AccessLog.Tunnels), v => options.AccessLog.Tunnels = v);
            log.Flag(nameof(options.AccessLog.Requests), v => options.AccessLog.Requests = v);
        });
        reader.Section(nameof(options.Shutdown), shutdown =>
        {
            shutdown.Time(nameof(options.Shutdown.ReadinessDelay), v => options.Shutdown.ReadinessDelay = v);
            shutdown.Time(nameof(options.Shutdown.Reserve), v => options.Shutdown.Reserve = v);
            shutdown.Flag(nameof(options.Shutdown.Goodbye), v => options.Shutdown.Goodbye = v);
            shutdown.Whole(nameof(options.Shutdown.CloseCode), v => options.Shutdown.CloseCode = v);
            shutdown.Text(nameof(options.Shutdown.CloseReason), v => options.Shutdown.CloseReason = v);
        });
        options.HasRedisSection |= reader.Has("Redis");
        reader.End();
    }

    private static void ReadPool(SectionReader reader, PoolOptions pool)
    {
        reader.Section(nameof(pool.Match), match =>
        {
            match.List(nameof(pool.Match.Hosts), pool.Match.Hosts);
            match.List(nameof(pool.Match.PathPrefixes), pool.Match.PathPrefixes);
            match.List(nameof(pool.Match.ServerNames), pool.Match.ServerNames);
        });
        reader.Each(nameof(pool.Backends), (name, backend) => ReadBackend(backend, Get(pool.Backends, name)));
        reader.Text(nameof(pool.Policy), v => pool.Policy = v);
        reader.Section(nameof(pool.Affinity), affinity => AffinityReader.Read(affinity, pool.Affinity));
        reader.Section(nameof(pool.Timeouts), timeouts =>
        {
            timeouts.Time(nameof(pool.Timeouts.Connect), v => pool.Timeouts.Connect = v);
            timeouts.Time(nameof(pool.Timeouts.Handshake), v => pool.Timeouts.Handshake = v);
            timeouts.Time(nameof(pool.Timeouts.Activity), v => pool.Timeouts.Activity = v);
            timeouts.TimeOrNone(nameof(pool.Timeouts.Request), v => pool.Timeouts.Request = v);
        });
        reader.Section(nameof(pool.Connections), connections =>
        {
            connections.Time(nameof(pool.Connections.IdleTimeout), v => pool.Connections.IdleTimeout = v);
            connections.Time(nameof(pool.Connections.Lifetime), v => pool.Connections.Lifetime = v);
        });
        reader.Section(nameof(pool.Tunnels), tunnels =>
        {
            tunnels.TimeOrNone(nameof(pool.Tunnels.IdleTimeout), v => pool.Tunnels.IdleTimeout = v);
            tunnels.TimeOrNone(nameof(pool.Tunnels.ClientIdleTimeout), v => pool.Tunnels.ClientIdleTimeout = v);
            tunnels.TimeOrNone(nameof(pool.Tunnels.BackendIdleTimeout), v => pool.Tunnels.BackendIdleTimeout = v);
            tunnels.TimeOrNone(nameof(pool.Tunnels.HalfClosedTimeout), v => pool.Tunnels.HalfClosedTimeout = v);
            tunnels.TimeOrNone(nameof(pool.Tunnels.MaxAge), v => pool.Tunnels.MaxAge = v);
            tunnels.TimeOrNone(nameof(pool.Tunnels.DeadPeerTimeout), v => pool.Tunnels.DeadPeerTimeout = v);
            tunnels.Flag(nameof(pool.Tunnels.FollowFrames), v => pool.Tunnels.FollowFrames = v);
            tunnels.Whole(nameof(pool.Tunnels.CloseCode), v => pool.Tunnels.CloseCode = v);
            tunnels.Text(nameof(pool.Tunnels.CloseReason), v => pool.Tunnels.CloseReason = v);
            tunnels.Section(nameof(pool.Tunnels.Ping), ping =>
            {
                ping.TimeOrNone(nameof(pool.Tunnels.Ping.Interval), v => pool.Tunnels.Ping.Interval = v);
                ping.Time(nameof(pool.Tunnels.Ping.Timeout), v => pool.Tunnels.Ping.Timeout = v);
                ping.Choice<PingPeers>(nameof(pool.Tunnels.Ping.Peers), v => pool.Tunnels.Ping.Peers = v);
            });
        });
        reader.Section(nameof(pool.Drain), drain =>
        {
            drain.Time(nameof(pool.Drain.Over), v => pool.Drain.Over = v);
            drain.TimeOrNone(nameof(pool.Drain.Deadline), v => pool.Drain.Deadline = v);
            drain.Time(nameof(pool.Drain.CloseTimeout), v => pool.Drain.CloseTimeout = v);
            drain.Whole(nameof(pool.Drain.CloseCode), v => pool.Drain.CloseCode = v);
            drain.Text(nameof(pool.Drain.CloseReason), v => pool.Drain.CloseReason = v);
            drain.Choice<RemovedBackendBehavior>(nameof(pool.Drain.WhenRemoved), v => pool.Drain.WhenRemoved = v);
        });
        reader.Choice<DownBackendBehavior>(nameof(pool.OnDown), v => pool.OnDown = v);
        reader.Section(nameof(pool.Rebalance), rebalance => ReadRebalance(rebalance, pool.Rebalance));
        reader.Section(nameof(pool.Outliers), outliers => ReadOutliers(outliers, pool.Outliers));
        reader.Choice<WebSocketMode>(nameof(pool.WebSockets), v => pool.WebSockets = v);
        reader.List(nameof(pool.Upgrades), pool.Upgrades);
        reader.Choice<NoneHealthyBehavior>(nameof(pool.WhenNoneHealthy), v => pool.WhenNoneHealthy = v);
        reader.Time(nameof(pool.RetryAfter), v => pool.RetryAfter = v);
        reader.TimeOrNone(nameof(pool.SlowStart), v => pool.SlowStart = v);
        reader.Section(nameof(pool.Queue), queue =>
        {
            queue.Whole(nameof(pool.Queue.Length), v => pool.Queue.Length = v);
            queue.Time(nameof(pool.Queue.Timeout), v => pool.Queue.Timeout = v);
        });
        reader.Section(nameof(pool.Health), health => ReadHealth(health, pool.Health));
        reader.SectionOrChoice<PoolTlsMode>(nameof(pool.Tls), v => pool.Tls.Mode = v, tls =>
        {
            tls.Choice<PoolTlsMode>(nameof(pool.Tls.Mode), v => pool.Tls.Mode = v);
            tls.Text(nameof(pool.Tls.ServerName), v => pool.Tls.ServerName = v);
            tls.Text(nameof(pool.Tls.CaCertificateFile), v => pool.Tls.CaCertificateFile = v);
            tls.Flag(nameof(pool.Tls.DangerousAcceptAnyCertificate), v => pool.Tls.DangerousAcceptAnyCertificate = v);
        });
        reader.Choice<HttpMode>(nameof(pool.Http), v => pool.Http = v);
        reader.Choice<BackendHttpVersion>(nameof(pool.HttpVersion), v => pool.HttpVersion = v);
    }

    private static void ReadBackend(SectionReader reader, BackendOptions backend)
    {
        reader.Text(nameof(backend.Address), v => backend.Address = v);
        reader.Whole(nameof(backend.Weight), v => backend.Weight = v);
        reader.Flag(nameof(backend.Enabled), v => backend.Enabled = v);
        reader.Choice<BackendMode>(nameof(backend.Mode), v => backend.Mode = v);
        reader.Whole(nameof(backend.MaxTunnels), v => backend.MaxTunnels = v);
        reader.Whole(nameof(backend.MaxHandshakes), v => backend.MaxHandshakes = v);
        reader.Number(nameof(backend.HandshakeRate), v => backend.HandshakeRate = v);
        reader.Whole(nameof(backend.MaxRequests), v => backend.MaxRequests = v);
    }

    private static void ReadRebalance(SectionReader reader, RebalanceOptions rebalance)
    {
        reader.Number(nameof(rebalance.Rate), v => rebalance.Rate = v);
        reader.Number(nameof(rebalance.Tolerance), v => rebalance.Tolerance = v);
        reader.Time(nameof(rebalance.MinimumIdle), v => rebalance.MinimumIdle = v);
        reader.Time(nameof(rebalance.SettleTime), v => rebalance.SettleTime = v);
        reader.Flag(nameof(rebalance.Pinned), v => rebalance.Pinned = v);
        reader.Whole(nameof(rebalance.CloseCode), v => rebalance.CloseCode = v);
        reader.Text(nameof(rebalance.CloseReason), v => rebalance.CloseReason = v);
    }

    private static void ReadOutliers(SectionReader reader, OutlierOptions outliers)
    {
        reader.Flag(nameof(outliers.Enabled), v => outliers.Enabled = v);
        reader.Time(nameof(outliers.Age), v => outliers.Age = v);
        reader.Whole(nameof(outliers.MinimumEnds), v => outliers.MinimumEnds = v);
        reader.Number(nameof(outliers.Share), v => outliers.Share = v);
        reader.Time(nameof(outliers.Window), v => outliers.Window = v);
    }

    private static void ReadHealth(SectionReader reader, HealthOptions health)
    {
        reader.Section(nameof(health.Http), section => ReadHttpProbe(section, health.Http ??= new()));
        reader.Section(nameof(health.Tcp), section => ReadProbe(section, health.Tcp ??= new()));
        reader.Section(nameof(health.Tls), section => ReadProbe(section, health.Tls ??= new()));
        reader.Section(nameof(health.WebSocket), section => ReadWebSocketProbe(section, health.WebSocket ??= new()));
        reader.Section(nameof(health.Passive), passive =>
        {
            passive.Flag(nameof(health.Passive.Enabled), v => health.Passive.Enabled = v);
            passive.Number(nameof(health.Passive.FailureRatio), v => health.Passive.FailureRatio = v);
            passive.Whole(nameof(health.Passive.MinimumThroughput), v => health.Passive.MinimumThroughput = v);
            passive.Whole(nameof(health.Passive.MinimumClients), v => health.Passive.MinimumClients = v);
            passive.Time(nameof(health.Passive.SamplingDuration), v => health.Passive.SamplingDuration = v);
            passive.Time(nameof(health.Passive.BreakDuration), v => health.Passive.BreakDuration = v);
        });
    }

    private static void ReadHttpProbe(SectionReader reader, HttpProbeOptions probe)
    {
        ReadProbe(reader, probe);
        reader.Text(nameof(probe.Path), v => probe.Path = v);
        reader.Text(nameof(probe.Method), v => probe.Method = v);
        reader.Text(nameof(probe.Host), v => probe.Host = v);
        reader.Map(nameof(probe.Headers), probe.Headers);
        reader.Text(nameof(probe.ExpectedStatus), v => probe.ExpectedStatus = v);
        reader.Text(nameof(probe.ExpectedBody), v => probe.ExpectedBody = v);
    }

    private static void ReadWebSocketProbe(SectionReader reader, WebSocketProbeOptions probe)
    {
        ReadProbe(reader, probe);
        reader.Text(nameof(probe.Path), v => probe.Path = v);
        reader.Text(nameof(probe.Host), v => probe.Host = v);
        reader.Map(nameof(probe.Headers), probe.Headers);
        reader.Text(nameof(probe.Subprotocol), v => probe.Subprotocol = v);
    }

    private static void ReadProbe(SectionReader reader, ProbeOptions probe)
    {
        reader.Time(nameof(probe.Interval), v => probe.Interval = v);
        reader.Time(nameof(probe.Timeout), v => probe.Timeout = v);
        reader.Whole(nameof(probe.Rise), v => probe.Rise = v);
        reader.Whole(nameof(probe.Fall), v => probe.Fall = v);
        reader.Whole(nameof(probe.Retries), v => probe.Retries = v);
        reader.Number(nameof(probe.Jitter), v => probe.Jitter = v);
    }

    private static T Get<T>(IDictionary<string, T> map, string name)
        where T : new()
        => map.TryGetValue(name, out var found) ? found : map[name] = new T();
}
