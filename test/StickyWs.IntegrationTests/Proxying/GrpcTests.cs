using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public abstract class GrpcTests(Lane lane) : TransportedTest(lane)
{
    [Fact]
    public async Task Unary_calls_go_to_the_backends_in_turn()
    {
        await using var a = await StartAsync();
        await using var b = await StartAsync();
        await using var proxy = await StartAsync(a.Address, b.Address);
        using var channel = GrpcChannel.ForAddress(proxy.Http2, new GrpcChannelOptions { HttpHandler = ProxyHost.Trusting(), DisposeHttpClient = true });
        var calls = channel.CreateCallInvoker();
        for (byte i = 0; i < 4; i++) Assert.Equal([i], await calls.AsyncUnaryCall(EchoService.Unary, null, default, [i]));
        await proxy.FinishAsync();
        Assert.Equal(["a+", "b+", "a+", "b+"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task Both_directions_of_a_stream_move_in_turns()
    {
        await using var a = await StartAsync();
        await using var proxy = await StartAsync(a.Address);
        using var channel = GrpcChannel.ForAddress(proxy.Http2, new GrpcChannelOptions { HttpHandler = ProxyHost.Trusting(), DisposeHttpClient = true });
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(EchoService.Duplex, null, default);
        for (byte i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync([i]);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal([i], call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal("20", call.GetTrailers().GetValue("count"));
    }

    [Fact]
    public async Task A_status_without_a_message_arrives()
    {
        await using var a = await StartAsync();
        await using var proxy = await StartAsync(a.Address);
        using var channel = GrpcChannel.ForAddress(proxy.Http2, new GrpcChannelOptions { HttpHandler = ProxyHost.Trusting(), DisposeHttpClient = true });
        var error = await Assert.ThrowsAsync<RpcException>(
            () => channel.CreateCallInvoker().AsyncUnaryCall(EchoService.Unary, null, default, []).ResponseAsync);
        Assert.Equal(new Status(StatusCode.InvalidArgument, "empty"), error.Status);
    }

    [Fact]
    public async Task With_a_backend_dead_no_call_fails()
    {
        await using var a = await StartAsync();
        var (held, dead) = RawBackend.Dead();
        using var holding = held;
        await using var proxy = await StartAsync(dead, a.Address);
        using var channel = GrpcChannel.ForAddress(proxy.Http2, new GrpcChannelOptions { HttpHandler = ProxyHost.Trusting(), DisposeHttpClient = true });
        for (byte i = 0; i < 4; i++) Assert.Equal([i], await channel.CreateCallInvoker().AsyncUnaryCall(EchoService.Unary, null, default, [i]));
        Assert.NotEmpty(proxy.Outcomes.Failures);
    }

    private static Task<KestrelBackend> StartAsync()
        => KestrelBackend.StartAsync(services => services.AddGrpc(), app => app.MapGrpcService<EchoService>(), HttpProtocols.Http2, null);

    public sealed class OnIoUring() : GrpcTests(Lane.Raw);

    public sealed class OnEpoll() : GrpcTests(Lane.RawEpoll);

    public sealed class Inline() : GrpcTests(Lane.RawInline);

    public sealed class Portable() : GrpcTests(Lane.Portable);

    public sealed class OfHttpsClients() : GrpcTests(Lane.RawTls);

    public sealed class OfHttpsClientsOnEpoll() : GrpcTests(Lane.RawTlsEpoll);

    public sealed class OfHttpsClientsByOpenSsl() : GrpcTests(Lane.RawTlsKept);
}
