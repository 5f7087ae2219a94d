using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

public sealed class ProbePipelineTests
{
    private readonly WatchedTime _time = new();
    private readonly ScriptedProbe _probe;
    private readonly Backend _backend = new(Clinic.Pool, "a", new Uri("http://127.0.0.1:5000"), new TunnelTotal());

    public ProbePipelineTests() => _probe = new ScriptedProbe(_time);

    [Fact]
    public async Task Run_Good_HasNoCause()
    {
        var run = Run(retries: 0);
        (await _probe.NextAsync("a")).Good();

        Assert.Null(await run);
    }

    [Fact]
    public async Task Run_WithoutRetries_FailsAtFirst()
    {
        var run = Run(retries: 0);
        (await _probe.NextAsync("a")).Fail("boom");

        Assert.Equal("boom", await run);
        Assert.Equal(1, _probe.Count);
    }

    [Fact]
    public async Task Run_RetrySucceeds_IsGood()
    {
        var run = Run(retries: 2);
        (await _probe.NextAsync("a")).Fail("boom");
        (await _probe.NextAsync("a")).Throw(new IOException("bang"));
        (await _probe.NextAsync("a")).Good();

        Assert.Null(await run);
    }

    [Fact]
    public async Task Run_RetriesUsedUp_SaysTheLastCause()
    {
        var run = Run(retries: 1);
        (await _probe.NextAsync("a")).Fail("boom");
        (await _probe.NextAsync("a")).Fail("bang");

        Assert.Equal("bang", await run);
        Assert.Equal(2, _probe.Count);
    }

    [Fact]
    public async Task Run_Silent_TimesOutEachAttempt()
    {
        var run = Run(retries: 1);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var call = await _probe.NextAsync("a");
            _time.Advance(Clinic.Timeout);
            await call.CancelledAsync();
        }

        Assert.Equal("no answer within 2 s", await run);
        Assert.Equal(2, _probe.Count);
    }

    [Fact]
    public async Task Run_Cancelled_IsNoVerdict()
    {
        using var cancel = new CancellationTokenSource();
        var run = Run(retries: 5, cancel.Token);
        await _probe.NextAsync("a");
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Wait.Token()));
        Assert.Equal(1, _probe.Count);
    }

    [Fact]
    public void Identity_SameRulesInNewOptions_IsTheSame()
        => Assert.Equal(Pipeline(Headers("b", "a")).Identity, Pipeline(Headers("a", "b")).Identity);

    [Fact]
    public void Identity_AnyRuleOfTheProbe_MakesAnother()
    {
        Action<PoolOptions>[] changes =
        [
            pool => pool.Health.Http!.Interval *= 2,
            pool => pool.Health.Http!.Timeout *= 2,
            pool => pool.Health.Http!.Rise++,
            pool => pool.Health.Http!.Fall++,
            pool => pool.Health.Http!.Retries++,
            pool => pool.Health.Http!.Jitter /= 2,
            pool => pool.Health.Http!.Path = "/other",
            pool => pool.Health.Http!.Method = "HEAD",
            pool => pool.Health.Http!.Host = "other",
            pool => pool.Health.Http!.ExpectedStatus = "204",
            pool => pool.Health.Http!.ExpectedBody = "other",
            pool => pool.Health.Http!.Headers["a"] = "other",
            pool => pool.Tls.ServerName = "other",
            pool => pool.Tls.CaCertificateFile = "other",
            pool => pool.Tls.DangerousAcceptAnyCertificate = true,
            pool => pool.HttpVersion = BackendHttpVersion.Http2,
            pool => (pool.Health.Http, pool.Health.Tcp) = (null, new TcpProbeOptions()),
            pool => (pool.Health.Http, pool.Health.WebSocket) = (null, new WebSocketProbeOptions()),
            pool => (pool.Health.Http, pool.Health.WebSocket) = (null, new WebSocketProbeOptions { Path = "/other" }),
            pool => (pool.Health.Http, pool.Health.WebSocket) = (null, new WebSocketProbeOptions { Host = "other" }),
            pool => (pool.Health.Http, pool.Health.WebSocket) = (null, new WebSocketProbeOptions { Subprotocol = "other" }),
            pool => (pool.Health.Http, pool.Health.WebSocket) = (null, new WebSocketProbeOptions { Headers = { ["Origin"] = "other" } }),
        ];

        var identities = changes.Select(change => Pipeline(change).Identity).Append(Pipeline(_ => { }).Identity).ToArray();

        Assert.Equal(identities.Length, identities.Distinct().Count());
    }

    private static Action<PoolOptions> Headers(params string[] names) => pool =>
    {
        foreach (var name in names) pool.Health.Http!.Headers[name] = "1";
    };

    private ProbePipeline Pipeline(Action<PoolOptions> change)
    {
        var pool = new PoolOptions { Health = { Http = new HttpProbeOptions() } };
        change(pool);
        return new ProbePipeline(_probe, pool, _time);
    }

    private async Task<string?> Run(int retries, CancellationToken cancellationToken = default)
    {
        var pool = new PoolOptions { Health = { Tcp = new TcpProbeOptions { Timeout = Clinic.Timeout, Retries = retries } } };
        return (await new ProbePipeline(_probe, pool, _time).RunAsync(_backend, cancellationToken)).Failure;
    }
}
