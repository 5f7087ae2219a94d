using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Connections;
using StickyWs.TestKit;
using StickyWs.Tunnels;

namespace StickyWs.Benchmarks.Micro;

/// <summary>What the sniffer costs a connection that is not a WebSocket. The baseline is doing without it.</summary>
public class MiddlewareBenchmarks
{
    private readonly ConnectionDelegate _next = static _ => Task.CompletedTask;
    private DefaultConnectionContext _connection = null!;
    private ServiceProvider _services = null!;
    private SniffingMiddleware _middleware = null!;

    [GlobalSetup]
    public async Task SetUpAsync()
    {
        _services = new ServiceCollection().AddLogging().AddStickyWebSocketBalancing(_ => { }).BuildServiceProvider();
        _services.GetRequiredService<BackendRegistry>().Apply(new StickyWsOptions());
        _middleware = new SniffingMiddleware(_next, _services.GetRequiredService<SniffingServices>());
        _connection = await AcceptAsync(Heads.PlainGet);
        await Sniffed();
        if (_connection.Features.Get<ConnectionArrival>() is null) throw new InvalidOperationException("The connection was not sniffed.");
    }

    [GlobalCleanup]
    public void CleanUp() => _services.Dispose();

    [Benchmark(Baseline = true)]
    public Task NextDirectly() => _next(Fresh());

    [Benchmark]
    public Task Sniffed() => _middleware.OnConnectionAsync(Fresh());

    private static async Task<DefaultConnectionContext> AcceptAsync(byte[] received)
    {
        var input = new Pipe();
        await input.Writer.WriteAsync(received);
        return new DefaultConnectionContext { Transport = new DuplexPipe(input.Reader, new Pipe().Writer) };
    }

    // As if just accepted; the bytes are still in the pipe, for the sniffer takes none.
    private DefaultConnectionContext Fresh()
    {
        _connection.Features.Set<ConnectionArrival>(null);
        _connection.Features.Set<HalfCloseGate>(null);
        _connection.ConnectionClosed = new CancellationTokenSource().Token;
        return _connection;
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
