using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// The one BIO of the process: it reads and writes the buffers of the thread that calls OpenSSL, so that a connection has no buffer of its own. Its
/// flags never change, as threads share them: an empty read always means "later", and a write always takes all.
/// </summary>
internal static unsafe class SharedBio
{
    private static readonly Lazy<nint> Instance = new(Create);

    /// <summary>Makes an SSL object read and write the calling thread's workspace.</summary>
    public static void Attach(nint ssl)
    {
        // SSL_set_bio takes one reference when both are the same.
        _ = OpenSsl.BIO_up_ref(Instance.Value);
        OpenSsl.SSL_set_bio(ssl, Instance.Value, Instance.Value);
    }

    private static nint Create()
    {
        OpenSsl.ERR_clear_error();
        nint method, bio = 0;
        fixed (byte* name = "StickyWs\0"u8)
        {
            method = OpenSsl.BIO_meth_new(OpenSsl.BIO_get_new_index() | OpenSsl.BIO_TYPE_SOURCE_SINK, name);
        }

        var isMade = method != 0 && OpenSsl.BIO_meth_set_read(method, &Read) == 1 && OpenSsl.BIO_meth_set_write(method, &Write) == 1
            && OpenSsl.BIO_meth_set_ctrl(method, &Control) == 1 && (bio = OpenSsl.BIO_new(method)) != 0;
        if (!isMade) throw new CryptographicException("No BIO: " + OpenSsl.TakeErrors());
        OpenSsl.BIO_set_init(bio, 1);
        OpenSsl.BIO_set_flags(bio, OpenSsl.BIO_FLAGS_READ | OpenSsl.BIO_FLAGS_SHOULD_RETRY);
        return bio;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* buffer, int length)
    {
        var work = Workspace.OfThread;
        var taken = Math.Min(length, work.InputLength);
        if (taken <= 0) return -1;
        Buffer.MemoryCopy(work.Input, buffer, length, taken);
        work.Input += taken;
        work.InputLength -= taken;
        return taken;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* bytes, int length)
    {
        var work = Workspace.OfThread;
        try
        {
            work.ToPeer.Write(new ReadOnlySpan<byte>(bytes, length));
            return length;
        }
#pragma warning disable CA1031 // An exception must not cross OpenSSL's frames; the caller looks at it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Fault = e;
            return -1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Control(nint bio, int command, nint number, void* pointer) => command == OpenSsl.BIO_CTRL_FLUSH ? 1 : 0;
}
