using System.Globalization;
using Grpc.Core;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>A gRPC service whose messages are bare bytes, so that it needs no generated code.</summary>
[BindServiceMethod(typeof(EchoService), nameof(Bind))]
internal class EchoService
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(message => message, message => message);

    public static Method<byte[], byte[]> Unary { get; } = new(MethodType.Unary, "Echo", nameof(UnaryAsync), Bytes, Bytes);

    public static Method<byte[], byte[]> Duplex { get; } = new(MethodType.DuplexStreaming, "Echo", nameof(DuplexAsync), Bytes, Bytes);

    public static void Bind(ServiceBinderBase binder, EchoService? service)
    {
        binder.AddMethod(Unary, service is null ? null : new UnaryServerMethod<byte[], byte[]>(service.UnaryAsync));
        binder.AddMethod(Duplex, service is null ? null : new DuplexStreamingServerMethod<byte[], byte[]>(service.DuplexAsync));
    }

    public virtual Task<byte[]> UnaryAsync(byte[] request, ServerCallContext context)
        => request.Length > 0 ? Task.FromResult(request) : throw new RpcException(new Status(StatusCode.InvalidArgument, "empty"));

    public virtual async Task DuplexAsync(IAsyncStreamReader<byte[]> requests, IServerStreamWriter<byte[]> answers, ServerCallContext context)
    {
        var count = 0;
        await foreach (var request in requests.ReadAllAsync())
        {
            count++;
            await answers.WriteAsync(request);
        }

        context.ResponseTrailers.Add("count", count.ToString(CultureInfo.InvariantCulture));
    }
}
